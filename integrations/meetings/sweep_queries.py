"""Queries that tell the sweep what to do. Most of the time there is nothing to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Count, F, Q
from django.db.models.functions import Now

from coconut.leases import unleased
from integrations.models import Connection, ConnectionStatus, Meeting
from integrations.models.connections import able_to_work
from integrations.models.meetings import host_is_paused
from integrations.platforms.failures import ErrorKind

#: How long a meeting waits for its task before the sweep sends another one.
ENQUEUE_PAUSE = timedelta(seconds=60)


@dataclass(frozen=True)
class SweepWork:
    """Work for the sweep.

    The booleans say whether there are meetings that have ended, whose connection was disconnected, or that don't say
    why they wait. The counts are of due meetings: without a task, and with a task in the queue. `has_open_circuit`
    says whether one of them belongs to a connection whose circuit is open.
    """

    has_ended: bool
    has_disconnected: bool
    has_unexplained: bool
    without_task: int
    with_task: int
    has_open_circuit: bool


def find_work() -> SweepWork:
    """Return the work for the sweep. Two queries over the open meetings only."""
    is_due = Q(due_at__lte=Now()) & unleased() & able_to_work("connection__") & ~host_is_paused()
    work = Meeting.objects.filter(due_at__isnull=False).aggregate(
        has_ended=BoolOr(unleased() & Q(ends_at__lte=Now()), default=False),
        has_disconnected=BoolOr(Q(connection__status=ConnectionStatus.DISCONNECTED), default=False),
        has_unexplained=BoolOr(reduce(or_, unexplained().values()), default=False),
        without_task=Count("pk", filter=is_due & needs_task()),
        with_task=Count("pk", filter=is_due & ~needs_task()),
        has_open_circuit=BoolOr(is_due & Q(connection__probe_at__isnull=False), default=False),
    )
    # A deletion may have failed while its connection was being disconnected. Such a row is no longer due.
    disconnected = Connection.objects.filter(status=ConnectionStatus.DISCONNECTED)
    work["has_disconnected"] |= Meeting.objects.deleting().filter(connection__in=disconnected).exists()
    return SweepWork(**work)


def needs_task() -> Q:
    """Return the condition of due meetings without a task, or whose task was sent too long ago.

    A task that was sent before a pause ended found nothing to do, so the meeting needs another one.
    """
    is_useless = Q(connection__paused_until__isnull=False, enqueued_at__lt=F("connection__paused_until")) | Q(
        connection__probe_at__isnull=False, enqueued_at__lt=F("connection__probe_at")
    )
    return Q(enqueued_at__isnull=True) | Q(enqueued_at__lte=Now() - ENQUEUE_PAUSE) | is_useless


def unexplained() -> dict[ErrorKind, Q]:
    """Return the conditions of meetings that don't say yet why they wait, by reason."""
    is_due = Q(due_at__lte=Now())
    is_refused = is_due & Q(connection__status=ConnectionStatus.NEEDS_REAUTHORIZATION)
    has_no_reason = is_due & Q(connection__status=ConnectionStatus.CONNECTED, error_kind="")
    return {
        ErrorKind.CONNECTION: is_refused & ~Q(error_kind=ErrorKind.CONNECTION),
        ErrorKind.OUTAGE: has_no_reason & Q(connection__probe_at__gt=Now()),
        ErrorKind.THROTTLED: has_no_reason & (Q(connection__paused_until__gt=Now()) | host_is_paused()),
    }
