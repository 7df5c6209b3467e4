"""Disconnect a connection, and count the appointments that this affects."""

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
class UpcomingCounts:
    """Number of a connection's meetings that aren't over: with a link, and still waiting for one."""

    with_link: int
    waiting: int


def count_upcoming(connection: Connection) -> UpcomingCounts:
    """Count the connection's meetings that aren't over. One query."""
    has_link = ~Q(join_url="")
    meetings = Meeting.objects.filter(connection=connection, desired_state=DesiredState.PRESENT, ends_at__gt=Now())
    counts = meetings.aggregate(
        with_link=Count("pk", filter=has_link),
        waiting=Count("pk", filter=~has_link & Q(due_at__isnull=False)),
    )
    return UpcomingCounts(**counts)


@transaction.atomic
def disconnect_connection(connection: Connection, actor: StaffMember | None) -> bool:
    """Disconnect a connection and refresh it. Returns False if it was already disconnected.

    The platform deletes the sign-in, and existing links keep working. One transaction: no worker sees a connection that
    is only partly disconnected.
    """
    Organization.objects.lock(connection.organization_id)
    locked = Connection.objects.lock(connection.pk)
    was_live = locked.is_live
    if was_live:
        _disconnect_locked(locked, actor)
    connection.refresh_from_db()
    return was_live


def _disconnect_locked(connection: Connection, actor: StaffMember | None) -> None:
    upcoming = count_upcoming(connection)
    connections = Connection.objects.filter(pk=connection.pk)
    connections.update(
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
    fail_pending(connections)
    record_event(
        connection,
        EventKind.DISCONNECTED,
        actor,
        name=connection.name,
        kept=upcoming.with_link,
        lost=upcoming.waiting,
    )
