"""Locks of changes of a location's hours."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q

from staff.models import DateOverride, Location, Organization, StaffMember, WorkingHours


def lock_locations(locations: Collection[Location]) -> None:
    """Lock what bookings at these locations lock: the rows of the staff who work there, by pk.

    A booking takes no lock of its location: PostgreSQL would make all bookings of a branch wait for one another. Staff
    without a location are bookable at each one, so they are locked, too. Anyone else is booked there only by staff who
    book outside working hours, which a closing allows. The organisation's row comes first, so that two changes of
    closings never overlap.
    """
    [organization] = {location.organization_id for location in locations}
    Organization.objects.lock(organization)
    hours = WorkingHours.objects.filter(staff=OuterRef("pk"), location__in=locations)
    overrides = DateOverride.objects.filter(staff=OuterRef("pk"), branch__in=locations)
    works_there = Q(location__in=locations) | Q(location=None) | Exists(hours) | Exists(overrides)
    people = StaffMember.objects.filter(works_there, organization=organization).order_by("pk")
    # Evaluates the query, which takes the locks.
    list(people.select_for_update(no_key=True, of=("self",)).values_list("pk"))
