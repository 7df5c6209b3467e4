"""Locks of changes of a location's hours."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from staff.locks import lock_staff
from staff.models import DateOverride, Location, Organization, StaffMember, WorkingHours


def lock_locations(locations: Collection[Location]) -> None:
    """Lock what bookings at these locations lock: the rows of the staff who work there, by pk.

    A booking takes no lock of its location: PostgreSQL would make all bookings of a branch wait for one another. Anyone
    else is booked there only by staff who book outside working hours, which a closing allows. The organisation's row
    comes first, so that two changes of closings never overlap.
    """
    [organization] = {location.organization_id for location in locations}
    Organization.objects.lock(organization)
    lock_staff(_bookable_at(locations))


def _bookable_at(locations: Collection[Location]) -> QuerySet[StaffMember]:
    """Return the staff members who can be booked at these locations of one organisation.

    Staff without a home branch are bookable at each one.
    """
    [organization] = {location.organization_id for location in locations}
    hours = WorkingHours.objects.filter(staff=OuterRef("pk"), location__in=locations)
    overrides = DateOverride.objects.filter(staff=OuterRef("pk"), branch__in=locations)
    here = Q(location__in=locations) | Q(location=None) | Exists(hours) | Exists(overrides)
    return StaffMember.objects.filter(here, organization=organization)
