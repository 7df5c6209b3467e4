"""Locations at which staff members can be booked in person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from services.models import Service, ServiceAssignment
from staff.models import DateOverride, Location, StaffMember, WorkingHours


@dataclass(frozen=True)
class WorkingPlaces:
    """Pks of locations by pk of the staff member. None is any location: the person has no home branch."""

    _by_staff: dict[int, set[int] | None]

    def includes(self, member: StaffMember, location: Location | int) -> bool:
        """Return whether the person can be booked at the location."""
        places = self._by_staff[member.pk]
        return places is None or (location if isinstance(location, int) else location.pk) in places

    def at(self, location: Location, people: Iterable[StaffMember]) -> list[StaffMember]:
        """Return the people who can be booked at the location."""
        return [member for member in people if self.includes(member, location)]

    def locations(self) -> list[Location]:
        """Return the active locations of all these people, by name. Takes one query."""
        found = Location.objects.active().filter(pk__in=set().union(*filter(None, self._by_staff.values())))
        return sorted(found, key=lambda location: location.name.casefold())


def working_places(people: Sequence[StaffMember], service: Service | None) -> WorkingPlaces:
    """Return the home branch of each person and the locations of their hours, limited to those of the assignment.

    Takes two queries, and one without a service.
    """
    found: dict[int, set[int]] = defaultdict(set)
    for member in people:
        if member.location_id is not None:
            found[member.pk].add(member.location_id)
    for staff, location in _places_of_hours(people):
        found[staff].add(location)
    limits = _places_of_assignments(people, service) if service else {}
    return WorkingPlaces({member.pk: _limited(member, found, limits.get(member.pk)) for member in people})


def _limited(member: StaffMember, found: dict[int, set[int]], limit: set[int] | None) -> set[int] | None:
    if member.location_id is None:
        return limit
    return found[member.pk] if limit is None else found[member.pk] & limit


def _places_of_hours(people: Sequence[StaffMember]) -> Iterable[tuple[int, int]]:
    weekly = WorkingHours.objects.filter(staff__in=people, location__isnull=False)
    overrides = DateOverride.objects.filter(staff__in=people, branch__isnull=False, last_day__gte=timezone.localdate())
    pairs = overrides.order_by().values_list("staff_id", "branch_id")
    both: Iterable[tuple[int, int]] = weekly.order_by().values_list("staff_id", "location_id").union(pairs)
    return both


def _places_of_assignments(people: Sequence[StaffMember], service: Service) -> dict[int, set[int]]:
    limits: dict[int, set[int]] = defaultdict(set)
    assignments = ServiceAssignment.objects.filter(service=service, staff__in=people, locations__isnull=False)
    for staff, location in assignments.values_list("staff_id", "locations"):
        limits[staff].add(location)
    return dict(limits)
