"""Locations at which staff members can be booked in person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from coconut.database.any_of import AnyOf
from services.models import Service, ServiceAssignment
from staff.models import DateOverride, Location, StaffMember, WorkingHours


class Placed(Protocol):
    """A staff member, or what is known of one."""

    @property
    def pk(self) -> int: ...

    @property
    def location_id(self) -> int | None: ...


_Member = TypeVar("_Member", bound=Placed)


@dataclass(frozen=True)
class WorkingPlaces:
    """Pks of locations by pk of the staff member. None is any location: the person has no home branch."""

    _by_staff: dict[int, set[int] | None]

    def includes(self, member: Placed, location: Location | int) -> bool:
        """Return whether the person can be booked at the location."""
        places = self._by_staff[member.pk]
        return places is None or (location if isinstance(location, int) else location.pk) in places

    def at(self, location: Location, people: Iterable[_Member]) -> list[_Member]:
        """Return the people who can be booked at the location."""
        return [member for member in people if self.includes(member, location)]

    def locations(self) -> list[Location]:
        """Return the active locations of all these people, by name. Takes one query."""
        found = Location.objects.active().filter(pk__in=set().union(*filter(None, self._by_staff.values())))
        return sorted(found, key=lambda location: location.name.casefold())


def works_at(location: Location, service: Service) -> Q:
    """Return the condition of the staff members who can be booked at the location: that of `working_places`."""
    homes = StaffMember.objects.filter(Q(location=location) | Q(location=None), organization=location.organization_id)
    weekly = WorkingHours.objects.filter(location=location)
    overrides = DateOverride.objects.filter(branch=location, last_day__gte=timezone.localdate())
    # PostgreSQL reads these few rows first, which it doesn't with three conditions.
    places = (
        homes.order_by().values("pk").union(weekly.order_by().values("staff"), overrides.order_by().values("staff"))
    )
    limits = ServiceAssignment.objects.filter(staff=OuterRef("pk"), service=service, locations__isnull=False)
    return Q(pk__in=places) & (~Q(Exists(limits)) | Q(Exists(limits.filter(locations=location))))


def working_places(people: Iterable[Placed], service: Service | None) -> WorkingPlaces:
    """Return the home branch of each person and the locations of their hours, limited to those of the assignment.

    Takes two queries, and one without a service.
    """
    people = list(people)
    found: dict[int, set[int]] = defaultdict(set)
    for member in people:
        if member.location_id is not None:
            found[member.pk].add(member.location_id)
    for staff, location in _places_of_hours(people):
        found[staff].add(location)
    limits = _places_of_assignments(people, service) if service else {}
    return WorkingPlaces({member.pk: _limited(member, found, limits.get(member.pk)) for member in people})


def _limited(member: Placed, found: dict[int, set[int]], limit: set[int] | None) -> set[int] | None:
    if member.location_id is None:
        return limit
    return found[member.pk] if limit is None else found[member.pk] & limit


def _places_of_hours(people: Sequence[Placed]) -> Iterable[tuple[int, int]]:
    of_them = AnyOf(F("staff"), [member.pk for member in people])
    weekly = WorkingHours.objects.filter(of_them, location__isnull=False)
    overrides = DateOverride.objects.filter(of_them, branch__isnull=False, last_day__gte=timezone.localdate())
    pairs = overrides.order_by().values_list("staff_id", "branch_id")
    both: Iterable[tuple[int, int]] = weekly.order_by().values_list("staff_id", "location_id").union(pairs)
    return both


def _places_of_assignments(people: Sequence[Placed], service: Service) -> dict[int, set[int]]:
    limits: dict[int, set[int]] = defaultdict(set)
    assignments = ServiceAssignment.objects.filter(
        AnyOf(F("staff"), [member.pk for member in people]), service=service, locations__isnull=False
    )
    for staff, location in assignments.values_list("staff_id", "locations"):
        limits[staff].add(location)
    return dict(limits)
