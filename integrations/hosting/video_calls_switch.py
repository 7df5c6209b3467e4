"""For whom Video Calls is on: turned by an admin, for any number of people, and put back again."""

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
    """What a click changed: for how many people, and the event that can be undone (None where nobody changed)."""

    on: bool
    people: int
    event: ConnectionEvent | None


@transaction.atomic
def set_video_calls(
    connection: Connection, staff: QuerySet[StaffMember], *, on: bool, actor: StaffMember | None
) -> SwitchChange:
    """Turn Video Calls on or off for these people of the connection's organisation.

    In the database, for any number of people. Who has no row yet gets one, so that the wish is not lost.
    """
    # Answers are written under this lock, too: two who add rows in different orders would wait for ever.
    Connection.objects.lock(connection.pk)
    people = StaffMember.objects.filter(pk__in=staff.values("pk"), organization=connection.organization_id)
    if on:
        _make_missing_matches(connection, people.exclude(video_matches__connection=connection))
    changing = UserMatch.objects.filter(connection=connection, staff__in=people.order_by())
    return _turn(connection, changing, on=on, actor=actor)


@transaction.atomic
def undo_video_calls(event: ConnectionEvent, actor: StaffMember | None) -> SwitchChange:
    """Put back whom a turning changed, unless somebody turned them since. A second time changes nobody."""
    turned = UserMatch.objects.filter(connection=event.connection_id, turned_by=event)
    return _turn(event.connection, turned, on=event.kind == EventKind.TURNED_OFF, actor=actor, is_undo=True)


def recent_switch_changes(connection: Connection) -> QuerySet[ConnectionEvent]:
    """The events of a connection that can be undone."""
    return connection.events.filter(kind__in=[EventKind.TURNED_ON, EventKind.TURNED_OFF])


def _turn(
    connection: Connection,
    matches: QuerySet[UserMatch],
    *,
    on: bool,
    actor: StaffMember | None,
    is_undo: bool = False,
) -> SwitchChange:
    # In the order in which a rematch writes, so that the two wait for each other instead of for ever. By the column:
    # "staff" would be the order of names.
    changing = (
        matches.filter(enabled=not on).order_by("staff_id").select_for_update(no_key=True, of=("self",))
    )
    locked = list(changing.values_list("pk", flat=True))
    if not locked:
        return SwitchChange(on, 0, None)
    kind = EventKind.TURNED_ON if on else EventKind.TURNED_OFF
    event = record_event(
        connection, kind, actor, count=len(locked), person=_only_name(locked), is_undo=is_undo
    )
    UserMatch.objects.filter(pk__in=locked).update(enabled=on, turned_by=event)
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
