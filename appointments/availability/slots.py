"""When a service can be booked, with one person or with anybody: arithmetic over calendars, in unix seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from appointments.availability.calendars import (
    Durations,
    load_calendar,
    load_calendars_around,
)
from appointments.availability.intervals import DAY_SECONDS, Interval, grid, intersect
from appointments.models import Appointment
from services.models import Service
from staff.models import Location, StaffMember

# Every zone's offset is a whole number of quarter hours, so that one grid serves all.
GRID_SECONDS = 15 * 60
# How far one look for the next free times reaches; the horizon takes several.
SEARCH_DAYS = 14


def earliest_start(service: Service, now: datetime, *, for_clients: bool) -> int:
    """The first moment that may be booked: clients must keep the service's minimum notice."""
    notice = service.minimum_notice * 60 if for_clients else 0
    return -int(-(now.timestamp() + notice) // 1)


def latest_start(service: Service, now: datetime, *, for_clients: bool) -> int:
    """The last moment that may be booked: clients must keep to the service's horizon."""
    days = service.booking_horizon_days if for_clients else 10 * 366
    return int(now.timestamp()) + days * DAY_SECONDS


def free_slots(
    service: Service,
    people: Sequence[StaffMember],
    start: datetime,
    end: datetime,
    *,
    for_clients: bool = False,
    location: Location | None = None,
    lengths: Durations | None = None,
    ignoring: Appointment | None = None,
    now: datetime | None = None,
) -> dict[int, list[int]]:
    """The quarter hours in [start, end) at which each of the people can start this service, by staff pk.

    Unix seconds, ascending. Minimum notice and horizon hold for clients only. `lengths` replaces the service's own;
    `ignoring` is an appointment that is being moved, so that its own time is free. Who provides the service and who
    can host a video call is not looked at. A constant number of queries.
    """
    now = now or datetime.now(UTC)
    first = max(int(start.timestamp()), earliest_start(service, now, for_clients=for_clients))
    last = min(int(end.timestamp()), latest_start(service, now, for_clients=for_clients) + 1)
    if not people or first >= last:
        return {member.pk: [] for member in people}
    lengths = lengths or Durations.of_service(service)
    calendars = load_calendars_around(people, first, last, location=location, ignoring=ignoring)
    window: list[Interval] = [(first, last)]
    return {
        pk: grid(intersect(calendar.free(lengths), window), GRID_SECONDS)
        for pk, calendar in calendars.items()
    }


def next_free_of_any_staff(
    service: Service,
    people: Sequence[StaffMember],
    after: datetime,
    how_many: int = 3,
    *,
    lengths: Durations | None = None,
    for_clients: bool = False,
    location: Location | None = None,
    ignoring: Appointment | None = None,
    now: datetime | None = None,
) -> list[datetime]:
    """The next quarter hours at or after a moment at which any of the people is free, in UTC, up to the horizon.

    The rest is as in `free_slots`.
    """
    now = now or datetime.now(UTC)
    start = max(int(after.timestamp()), int(now.timestamp()))
    latest = latest_start(service, now, for_clients=True) + 1
    found: list[int] = []
    while people and start < latest and len(found) < how_many:
        until = min(start + SEARCH_DAYS * DAY_SECONDS, latest)
        slots = free_slots(
            service,
            people,
            _moment(start),
            _moment(until),
            for_clients=for_clients,
            location=location,
            lengths=lengths,
            ignoring=ignoring,
            now=now,
        )
        found += sorted(set().union(*slots.values()))
        start = until
    return [_moment(slot) for slot in found[:how_many]]


def next_free(
    service: Service, member: StaffMember, after: datetime, how_many: int = 3, **rules: Any
) -> list[datetime]:
    """`next_free_of_any_staff` of one person."""
    return next_free_of_any_staff(service, [member], after, how_many, **rules)


def is_within_hours(
    member: StaffMember, starts_at: datetime, ends_at: datetime, *, location: Location | None = None
) -> bool:
    """Whether the staff member works, at an open place, from start to end. Time off is not looked at."""
    start, end = int(starts_at.timestamp()), int(ends_at.timestamp())
    calendar = load_calendar(member, start, end, location=location)
    return calendar.is_open(start, Durations(end - start))


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
