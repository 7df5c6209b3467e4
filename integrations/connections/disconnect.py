"""Disconnect: what it will mean, told before, and doing it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from integrations.circuit_breaker import CLOSED
from integrations.events import record_event
from integrations.matching.rematch_runs import end_runs
from integrations.meetings.sweep import fail_pending
from integrations.messages import Message, NeutralMessage
from integrations.models import Connection, ConnectionStatus, DesiredState, EventKind, Meeting
from integrations.platforms.registry import platform_of
from staff.models import Organization, StaffMember


@dataclass(frozen=True)
class Upcoming:
    """The appointments of a connection that are not over: how many have a link, and how many still wait for one."""

    with_link: int
    waiting: int


def upcoming_of(connection: Connection) -> Upcoming:
    """Count the connection's appointments that are still to come. One query."""
    has_link = ~Q(join_url="")
    meetings = Meeting.objects.filter(
        connection=connection, desired_state=DesiredState.PRESENT, ends_at__gt=Now()
    )
    counts = meetings.aggregate(
        with_link=Count("pk", filter=has_link),
        waiting=Count("pk", filter=~has_link & Q(due_at__isnull=False)),
    )
    return Upcoming(**counts)


@transaction.atomic
def disconnect_connection(connection: Connection, actor: StaffMember | None) -> bool:
    """End a connection; False when it was disconnected already.

    The platform forgets the sign-in, nobody becomes a user of another connection, and links that were made live on.
    Everything is in one transaction, so that no worker sees a connection that is half gone. `connection` is read anew.
    """
    Organization.objects.lock(connection.organization_id)
    locked = Connection.objects.lock(connection.pk)
    was_live = locked.is_live
    if was_live:
        _disconnect(locked, actor)
    connection.refresh_from_db()
    return was_live


def _disconnect(connection: Connection, actor: StaffMember | None) -> None:
    upcoming = upcoming_of(connection)
    this = Connection.objects.filter(pk=connection.pk)
    this.update(
        status=ConnectionStatus.DISCONNECTED,
        status_reason=Message(),
        is_default=False,
        paused_until=None,
        **CLOSED,
        trouble_kind="",
        trouble=Message(),
        trouble_since=None,
    )
    platform_of(connection).forget_sign_in(connection)
    end_runs(connection.pk, Message(NeutralMessage.RUN_DISCONNECTED, {"name": connection.name}))
    fail_pending(this)
    record_event(
        connection,
        EventKind.DISCONNECTED,
        actor,
        name=connection.name,
        kept=upcoming.with_link,
        lost=upcoming.waiting,
    )
