"""Which connection people's video appointments take place on: the default, or one that was chosen, or none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count

from integrations.events import record_event
from integrations.models import Connection, ConnectionStatus, EventKind
from staff.models import Organization, StaffMember, VideoChoice


@dataclass(frozen=True)
class PeopleOn:
    """How many active people a connection has: by the organisation's default, and by a choice of their own."""

    by_default: int = 0
    by_choice: int = 0

    @property
    def everybody(self) -> int:
        return self.by_default + self.by_choice


@dataclass(frozen=True)
class WithoutPlatform:
    """Who cannot be offered for video, as the platform is gone: `by_default` people where there is no default, and
    for each disconnected connection the people who have chosen it.
    """

    by_default: int
    by_choice: tuple[tuple[Connection, int], ...]

    def __bool__(self) -> bool:
        return bool(self.by_default or self.by_choice)


def people_on(connections: Iterable[Connection]) -> dict[int, PeopleOn]:
    """Count the people of each of these connections of one organisation, by id. One query."""
    connections = list(connections)
    organizations = {connection.organization_id for connection in connections}
    people = StaffMember.objects.active().filter(organization__in=organizations)
    rows = people.order_by().values_list("video_choice", "video_connection").annotate(Count("pk"))
    counts = {(choice, chosen): number for choice, chosen, number in rows}
    return {
        connection.pk: PeopleOn(
            counts.get((VideoChoice.DEFAULT, None), 0) if connection.is_default else 0,
            counts.get((VideoChoice.CONNECTION, connection.pk), 0),
        )
        for connection in connections
    }


def without_platform(organization: Organization) -> WithoutPlatform:
    """Count the active people who have no platform any more.

    One query where everything is connected, at most three; none of them grows with the people who have a platform.
    """
    people = StaffMember.objects.active_in(organization).order_by()
    connections = Connection.objects.filter(organization=organization).in_bulk()
    gone = [pk for pk, connection in sorted(connections.items()) if not connection.is_live]
    chosen = people.filter(video_connection__in=gone).values_list("video_connection").annotate(Count("pk"))
    # Without one that is gone the database is not asked.
    counts = dict(chosen)
    has_default = any(connection.is_default for connection in connections.values())
    return WithoutPlatform(
        0 if has_default else people.filter(video_choice=VideoChoice.DEFAULT).count(),
        tuple((connections[pk], counts[pk]) for pk in gone if pk in counts),
    )


@transaction.atomic
def make_default(connection: Connection, actor: StaffMember | None) -> bool:
    """Make the connection the one for everybody who has chosen none; False when it is disconnected.

    Appointments that are booked already stay where they are.
    """
    _lock(connection.organization_id)
    of_organization = Connection.objects.filter(organization=connection.organization_id)
    locked = of_organization.select_for_update(no_key=True).get(pk=connection.pk)
    if not locked.is_live:
        return False
    if not locked.is_default:
        of_organization.filter(is_default=True).update(is_default=False)
        of_organization.filter(pk=connection.pk).update(is_default=True)
        record_event(locked, EventKind.MADE_DEFAULT, actor, name=locked.name)
    return True


@transaction.atomic
def give_default(connection: Connection, actor: StaffMember | None) -> int:
    """Whoever has chosen this disconnected connection gets the organisation's default; how many people that were.

    Nobody is moved where the connection is live, for then the choice makes sense.
    """
    _lock(connection.organization_id)
    moved = StaffMember.objects.filter(
        organization=connection.organization_id,
        video_connection__in=Connection.objects.filter(
            pk=connection.pk, status=ConnectionStatus.DISCONNECTED
        ),
    ).update(video_choice=VideoChoice.DEFAULT, video_connection=None)
    if moved:
        record_event(connection, EventKind.MOVED_TO_DEFAULT, actor, count=moved)
    return moved


def _lock(organization_id: int) -> None:
    """Connect, Disconnect and Make default of one organisation take turns."""
    Organization.objects.lock(organization_id)
