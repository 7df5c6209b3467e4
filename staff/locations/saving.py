"""Add and change locations. Changes of when people can be booked lock the same rows as bookings."""

from __future__ import annotations

from typing import Final

from django.db import transaction

from staff.audit_log.differences import differences, first_values
from staff.audit_log.kinds import LOCATION_ADDED, LOCATION_CHANGED
from staff.audit_log.record import record
from staff.closings.locks import lock_locations
from staff.hooks import changing_hours
from staff.models import ADDRESS_FIELDS, Location

#: Fields that admins fill in, in the order of the form.
DETAILS: Final = ("name", *ADDRESS_FIELDS, "phone", "reply_to", "time_zone", "latitude", "longitude", "active")


def save_location(location: Location) -> None:
    """Insert a new location, or save the details of an existing one, and record what changed.

    Raises IntegrityError if another location of the organisation got the name meanwhile.
    """
    with transaction.atomic():
        if location.pk is None:
            location.save()
            record(LOCATION_ADDED, location, name=location.name, changes=first_values(location, DETAILS))
            return
        lock_locations([location])
        before = Location.objects.lock(location.pk)
        # Opening hours are meant in the zone.
        with changing_hours(locations=[location] if before.time_zone != location.time_zone else []):
            location.save(update_fields=DETAILS)
        if changes := differences(before, location, DETAILS):
            record(LOCATION_CHANGED, location, name=location.name, changes=changes)
