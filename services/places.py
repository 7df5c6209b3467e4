"""Locations at which a staff member provides their services in person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from services.audit import SERVICE_PLACES_CHANGED
from services.models import ServiceAssignment
from staff.audit_log.record import record
from staff.models import Location, StaffMember, WorkingHours


def places_of(person: StaffMember) -> list[Location]:
    """Return the home branch and the locations of the person's hours, by name."""
    pks = set(WorkingHours.objects.filter(staff=person, location__isnull=False).values_list("location", flat=True))
    if person.location_id is not None:
        pks.add(person.location_id)
    return list(Location.objects.filter(pk__in=pks))


def set_places(person: StaffMember, chosen: Mapping[int, Sequence[Location]], *, among: Sequence[Location]) -> None:
    """Limit assignments, by pk, to the chosen locations among those where the person works.

    With all of them, the assignment has no limit, so that it also holds where the person works later.
    """
    with transaction.atomic():
        StaffMember.objects.lock(person.pk)
        for assignment in person.assignments.filter(pk__in=chosen).select_related("service"):
            places = chosen[assignment.pk]
            _set(assignment, person, [] if len(places) == len(among) else places)


def _set(assignment: ServiceAssignment, person: StaffMember, places: Sequence[Location]) -> None:
    before = sorted(location.name for location in assignment.locations.all())
    after = sorted(location.name for location in places)
    if after == before:
        return
    assignment.locations.set(places)
    params = {"service": assignment.service.name, "before": before, "after": after}
    record(SERVICE_PLACES_CHANGED, person, params=params)
