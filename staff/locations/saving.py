"""Add and change locations. Changes of when people can be booked lock the same rows as bookings."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from staff.audit_log.differences import differences, first_values
from staff.audit_log.kinds import LOCATION_ADDED, LOCATION_CHANGED
from staff.audit_log.record import record
from staff.locks import lock_staff
from staff.models import ADDRESS_FIELDS, DateOverride, Location, StaffMember, WorkingHours

#: Fields that admins fill in, in the order of the form.
DETAILS: Final = ("name", *ADDRESS_FIELDS, "phone", "time_zone", "latitude", "longitude", "active")


def save_location(location: Location) -> None:
    """Insert a new location, or save the details of an existing one, and record what changed.

    Raises IntegrityError if another location of the organisation got the name meanwhile.
    """
    with transaction.atomic():
        if location.pk is None:
            location.save()
            record(LOCATION_ADDED, location, name=location.name, changes=first_values(location, DETAILS))
            return
        lock_staff(bookable_at(location))
        before = Location.objects.lock(location.pk)
        location.save(update_fields=DETAILS)
        if changes := differences(before, location, DETAILS):
            record(LOCATION_CHANGED, location, name=location.name, changes=changes)


def bookable_at(*locations: Location) -> QuerySet[StaffMember]:
    """Return the staff members whose appointments may be at these locations of one organisation.

    Staff without a home branch are bookable at each one.
    """
    [organization] = {location.organization_id for location in locations}
    hours = WorkingHours.objects.filter(staff=OuterRef("pk"), location__in=locations)
    overrides = DateOverride.objects.filter(staff=OuterRef("pk"), branch__in=locations)
    here = Q(location__in=locations) | Q(location=None) | Exists(hours) | Exists(overrides)
    return StaffMember.objects.filter(here, organization=organization)
