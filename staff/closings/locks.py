"""Locks of changes of a location's hours."""

from __future__ import annotations

from collections.abc import Collection

from staff.locations.saving import bookable_at
from staff.locks import lock_staff
from staff.models import Location, Organization


def lock_locations(locations: Collection[Location]) -> None:
    """Lock what bookings at these locations lock: the rows of the staff who work there, by pk.

    A booking takes no lock of its location: PostgreSQL would make all bookings of a branch wait for one another. Anyone
    else is booked there only by staff who book outside working hours, which a closing allows. The organisation's row
    comes first, so that two changes of closings never overlap.
    """
    [organization] = {location.organization_id for location in locations}
    Organization.objects.lock(organization)
    lock_staff(bookable_at(*locations))
