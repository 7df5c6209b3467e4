"""Turn Video Calls on or off for any number of staff, with undo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from integrations.events import record_event
from integrations.models import Connection, ConnectionEvent, EventKind, HostPermission, UserMatch
from integrations.platforms.registry import platform_of
from staff.models import StaffMember

MATCH_BATCH = 1000


@dataclass(frozen=True)
class SwitchChange:
    """Number of changed staff, and the event to undo (None if there is no change)."""

    on: bool
    people: int
    event: ConnectionEvent | None


@transaction.atomic
def set_video_calls(
    connection: Connection, staff: QuerySet[StaffMember], *, on: bool, actor: StaffMember | None
) -> SwitchChange:
    """Turn Video Calls on or off for these staff members of the connection's organisation.

    Staff without a match get one, so that the first rematch keeps the decision.
    """
    # A rematch also adds matches, under the same lock. In another order, the two could deadlock.
    Connection.objects.lock(connection.pk)
    people = StaffMember.objects.filter(pk__in=staff.values("pk"), organization=connection.organization_id)
    if on:
        _make_missing_matches(connection, people.exclude(video_matches__connection=connection))
    changing = UserMatch.objects.filter(connection=connection, staff__in=people.order_by())
    return _switch_matches(connection, changing, on=on, actor=actor)


@transaction.atomic
def undo_video_calls(event: ConnectionEvent, actor: StaffMember | None) -> SwitchChange:
    """Undo a switch change for the staff who were not switched again since. A second undo changes nothing."""
    switched = UserMatch.objects.filter(connection=event.connection_id, switch_event=event)
    on = event.kind == EventKind.TURNED_OFF
    return _switch_matches(event.connection, switched, on=on, actor=actor, is_undo=True)


def recent_switch_changes(connection: Connection) -> QuerySet[ConnectionEvent]:
    """Return the events of a connection that can be undone."""
    return connection.events.filter(kind__in=[EventKind.TURNED_ON, EventKind.TURNED_OFF])


def _switch_matches(
    connection: Connection,
    matches: QuerySet[UserMatch],
    *,
    on: bool,
    actor: StaffMember | None,
    is_undo: bool = False,
) -> SwitchChange:
    # Locked in the order in which a rematch writes, against deadlocks. Not by "staff": that orders by name.
    changing = matches.filter(enabled=not on).order_by("staff_id").select_for_update(no_key=True, of=("self",))
    locked = list(changing.values_list("pk", flat=True))
    if not locked:
        return SwitchChange(on, 0, None)
    kind = EventKind.TURNED_ON if on else EventKind.TURNED_OFF
    event = record_event(connection, kind, actor, count=len(locked), person=_only_name(locked), is_undo=is_undo)
    UserMatch.objects.filter(pk__in=locked).update(enabled=on, switch_event=event)
    return SwitchChange(on, len(locked), event)


def _only_name(match_ids: Sequence[int]) -> str:
    """Return the name of the staff member if there is only one, otherwise ""."""
    if len(match_ids) != 1:
        return ""
    return UserMatch.objects.select_related("staff").get(pk=match_ids[0]).staff.name


def _make_missing_matches(connection: Connection, people: QuerySet[StaffMember]) -> None:
    needs_permission_probe = platform_of(connection).needs_host_permission(connection)
    host_permission = HostPermission.UNKNOWN if needs_permission_probe else HostPermission.NOT_NEEDED
    missing: Iterable[int] = people.values_list("pk", flat=True)
    UserMatch.objects.bulk_create(
        (UserMatch(connection=connection, staff_id=pk, host_permission=host_permission) for pk in missing),
        batch_size=MATCH_BATCH,
        ignore_conflicts=True,
    )
