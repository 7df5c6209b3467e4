"""The organisation's default connection, the names of its connections, and the staff on each of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from integrations.events import record_event
from integrations.models import Connection, ConnectionStatus, EventKind
from staff.models import Organization, StaffMember, VideoChoice


@dataclass(frozen=True)
class StaffCounts:
    """Number of active staff on a connection: by the organisation's default, and by their own choice."""

    by_default: int = 0
    by_choice: int = 0

    @property
    def total(self) -> int:
        return self.by_default + self.by_choice


@dataclass(frozen=True)
class StaffWithoutPlatform:
    """Number of active staff without a usable connection.

    `by_default` counts those who use the default, if there is none. `by_choice` has each disconnected connection with
    the number of staff who chose it.
    """

    by_default: int
    by_choice: tuple[tuple[Connection, int], ...]

    def __bool__(self) -> bool:
        return bool(self.by_default or self.by_choice)


class NameTaken(Exception):
    """Another connection of the organisation, maybe a disconnected one, has this name. `str()` is for people."""

    def __init__(self) -> None:
        super().__init__(_("Another integration has this name. Choose one that tells them apart."))


def count_staff(connections: Iterable[Connection]) -> dict[int, StaffCounts]:
    """Return the number of staff on each of these connections of one organisation, by connection id. One query."""
    connections = list(connections)
    staff = StaffMember.objects.active().filter(
        organization__in={connection.organization_id for connection in connections}
    )
    rows = staff.order_by().values_list("video_choice", "video_connection").annotate(Count("pk"))
    counts = {(choice, connection_id): number for choice, connection_id, number in rows}
    return {
        connection.pk: StaffCounts(
            counts.get((VideoChoice.DEFAULT, None), 0) if connection.is_default else 0,
            counts.get((VideoChoice.CONNECTION, connection.pk), 0),
        )
        for connection in connections
    }


def count_staff_without_platform(organization: Organization) -> StaffWithoutPlatform:
    """Count the active staff without a usable connection.

    One query if all connections are live, otherwise three at most. The cost doesn't grow with the staff on live
    connections.
    """
    staff = StaffMember.objects.active_in(organization).order_by()
    connections = Connection.objects.filter(organization=organization).in_bulk()
    disconnected = [pk for pk, connection in sorted(connections.items()) if not connection.is_live]
    # With an empty list Django doesn't query.
    counts = dict(staff.filter(video_connection__in=disconnected).values_list("video_connection").annotate(Count("pk")))
    has_default = any(connection.is_default for connection in connections.values())
    return StaffWithoutPlatform(
        0 if has_default else staff.filter(video_choice=VideoChoice.DEFAULT).count(),
        tuple((connections[pk], counts[pk]) for pk in disconnected if pk in counts),
    )


@transaction.atomic
def make_default(connection: Connection, actor: StaffMember | None) -> bool:
    """Make the connection the organisation's default. Returns False if it is disconnected.

    Appointments that are already booked stay on their connection.
    """
    Organization.objects.lock(connection.organization_id)
    locked = Connection.objects.lock(connection.pk)
    if not locked.is_live:
        return False
    if not locked.is_default:
        Connection.objects.filter(organization=locked.organization_id, is_default=True).update(is_default=False)
        Connection.objects.filter(pk=locked.pk).update(is_default=True)
        record_event(locked, EventKind.MADE_DEFAULT, actor, name=locked.name)
    return True


@transaction.atomic
def move_staff_to_default(connection: Connection, actor: StaffMember | None) -> int:
    """Let the staff who chose this connection use the organisation's default. Returns their number.

    Does nothing if the connection is live, because then their choice is valid.
    """
    Organization.objects.lock(connection.organization_id)
    disconnected = Connection.objects.filter(pk=connection.pk, status=ConnectionStatus.DISCONNECTED)
    moved = StaffMember.objects.filter(
        organization=connection.organization_id, video_connection__in=disconnected
    ).update(video_choice=VideoChoice.DEFAULT, video_connection=None)
    if moved:
        record_event(connection, EventKind.MOVED_TO_DEFAULT, actor, count=moved)
    return moved


@transaction.atomic
def rename_connection(connection: Connection, name: str, actor: StaffMember | None) -> None:
    """Give the connection another name. Raises NameTaken."""
    Organization.objects.lock(connection.organization_id)
    connections = Connection.objects.filter(organization=connection.organization_id)
    # Lower, as in the constraint. `iexact` compares with UPPER, which differs for some letters.
    others = connections.exclude(pk=connection.pk).alias(lower_name=Lower("name"))
    if others.filter(lower_name=Lower(Value(name))).exists():
        raise NameTaken
    renamed = connections.get(pk=connection.pk)
    if renamed.name == name:
        return
    connections.filter(pk=connection.pk).update(name=name)
    record_event(renamed, EventKind.RENAMED, actor, old=renamed.name, new=name)
