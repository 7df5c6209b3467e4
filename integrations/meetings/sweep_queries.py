"""One look at all meetings that are not done with, which tells the sweep what there is to do: mostly nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.contrib.postgres.aggregates import BoolOr
from django.db import connection as database
from django.db.models import Count, F, Q, Value
from django.db.models.functions import Now

from integrations.leases import unleased
from integrations.models import Connection, ConnectionStatus, Meeting
from integrations.models.connections import able_to_work
from integrations.platforms.failures import ErrorKind


@dataclass(frozen=True)
class Todo:
    """Whether something is over, belongs to a connection that is gone, or does not say what it waits for.

    Then of what is due: how many nobody was told of, how many wait in the broker's queue, whether a platform is down.
    """

    over: bool = False
    abandoned: bool = False
    unexplained: bool = False
    unheard: int = 0
    queued: int = 0
    down: bool = False


def look() -> Todo:
    """Look once. Two statements for any number of meetings."""
    todo = Todo(*_first_row(_open_meetings(settings.MEETING_NUDGE_PAUSE_SECONDS)))
    return replace(todo, abandoned=True) if _first_row(_left_over()) else todo


def _first_row(statement: tuple[str, Any]) -> tuple[Any, ...]:
    with database.cursor() as cursor:
        cursor.execute(*statement)
        return cursor.fetchone() or ()


def unheard() -> Q:
    """Of the due meetings, those that no worker was told of, or long ago.

    A nudge that came during a pause was of no use: who was nudged then is nudged again when the pause is over.
    """
    in_vain = Q(connection__paused_until__isnull=False, enqueued_at__lt=F("connection__paused_until")) | Q(
        connection__probe_at__isnull=False, enqueued_at__lt=F("connection__probe_at")
    )
    pause = timedelta(seconds=settings.MEETING_NUDGE_PAUSE_SECONDS)
    return Q(enqueued_at__isnull=True) | Q(enqueued_at__lte=Now() - pause) | in_vain


def unexplained() -> dict[ErrorKind, Q]:
    """Meetings that do not say yet what they wait for, by what that is."""
    is_due = Q(due_at__lte=Now())
    refused = is_due & Q(connection__status=ConnectionStatus.NEEDS_REAUTHORIZATION)
    silent = is_due & Q(connection__status=ConnectionStatus.CONNECTED, error_kind="")
    return {
        ErrorKind.CONNECTION: refused & ~Q(error_kind=ErrorKind.CONNECTION),
        ErrorKind.OUTAGE: silent & Q(connection__probe_at__gt=Now()),
        ErrorKind.THROTTLED: silent & Q(connection__paused_until__gt=Now()),
    }


# Statements with their parameters, put together once: that takes ten times as long as to answer them.
@cache
def _left_over() -> tuple[str, Any]:
    """Meetings of connections that are gone, which were to be deleted and failed while they were being disconnected."""
    gone = Connection.objects.filter(status=ConnectionStatus.DISCONNECTED)
    meetings = Meeting.objects.deleting().filter(connection__in=gone.values("pk"))
    statement: tuple[str, Any] = meetings.values_list("pk")[:1].query.sql_with_params()
    return statement


@cache
def _open_meetings(nudge_pause: int) -> tuple[str, Any]:
    """What `Todo` says of meetings that are due, now or later; no row where there are none."""
    is_due = Q(due_at__lte=Now()) & unleased() & able_to_work("connection__")
    meetings: Any = Meeting.objects.filter(due_at__isnull=False).annotate(all=Value(1)).values("all")
    columns = {
        "over": BoolOr(unleased() & Q(ends_at__lte=Now()), default=False),
        "abandoned": BoolOr(Q(connection__status=ConnectionStatus.DISCONNECTED), default=False),
        "unexplained": BoolOr(reduce(or_, unexplained().values()), default=False),
        "unheard": Count("pk", filter=is_due & unheard()),
        "queued": Count("pk", filter=is_due & ~unheard()),
        "down": BoolOr(is_due & Q(connection__probe_at__isnull=False), default=False),
    }
    statement: tuple[str, Any] = meetings.annotate(**columns).values_list(*columns).query.sql_with_params()
    return statement
