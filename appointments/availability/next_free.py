"""Next free times of a service, with one staff member or anyone of several."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from appointments.availability.any_staff import AnyStaffSearch
from appointments.availability.staff_pool import StaffPool
from services.models import Service
from staff.models import StaffMember


def next_free_of_any_staff(
    service: Service,
    people: StaffPool | Iterable[StaffMember],
    after: datetime,
    how_many: int = 3,
    **rules: Any,
) -> list[datetime]:
    """Return the next start times from `after` on at which any of the people is free, in UTC, up to the horizon.

    `rules` are further arguments of `free_slots`.
    """
    search = AnyStaffSearch(service, StaffPool.of(people), service.organization.time_zone, **rules)
    return [datetime.fromtimestamp(slot, UTC) for slot in islice(search.next_starts(after), how_many)]


def next_free(
    service: Service, member: StaffMember, after: datetime, how_many: int = 3, **rules: Any
) -> list[datetime]:
    """Return the next free times of one staff member; see `next_free_of_any_staff`."""
    return next_free_of_any_staff(service, [member], after, how_many, **rules)
