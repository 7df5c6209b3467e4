"""Free slots of a service with each of some staff members, computed in unix seconds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime

from appointments.availability.calendars import Durations, load_calendar, load_calendars_around
from appointments.availability.daily_limits import full_days
from appointments.availability.intervals import DAY_SECONDS, subtract
from appointments.availability.start_times import start_times, start_zone
from appointments.models import Appointment
from services.models import MeetingMethod, Service
from staff.models import Location, StaffMember


def earliest_start(service: Service, now: datetime, *, for_clients: bool) -> int:
    """Return the first start that may be booked. Clients must keep the service's minimum notice."""
    notice = service.minimum_notice * 60 if for_clients else 0
    return -int(-(now.timestamp() + notice) // 1)


def latest_start(service: Service, now: datetime, *, for_clients: bool) -> int:
    """Return the last start that may be booked. Clients must keep to the service's horizon."""
    days = service.booking_horizon_days if for_clients else 10 * 366
    return int(now.timestamp()) + days * DAY_SECONDS


def free_slots(
    service: Service,
    people: Sequence[StaffMember],
    start: datetime,
    end: datetime,
    *,
    for_clients: bool = False,
    method: int = MeetingMethod.AT_LOCATION,
    location: Location | None = None,
    durations: Durations | None = None,
    ignoring: Appointment | None = None,
    now: datetime | None = None,
) -> dict[int, list[int]]:
    """Return the start times in [start, end) at which each staff member can start this service, by staff pk.

    They are ascending unix seconds. Minimum notice and horizon hold for clients only. `durations` replaces the
    service's own. `location` is that of an appointment in person, else each person's home branch. `ignoring` is an
    appointment that moves: its own time counts as free, but its present start isn't offered. Assignments and video
    hosting aren't checked. Takes a constant number of queries.
    """
    now = now or datetime.now(UTC)
    first = max(int(start.timestamp()), earliest_start(service, now, for_clients=for_clients))
    last = min(int(end.timestamp()), latest_start(service, now, for_clients=for_clients) + 1)
    if not people or first >= last:
        return {member.pk: [] for member in people}
    durations = durations or Durations.of_service(service)
    calendars = load_calendars_around(
        people,
        first,
        last,
        method=method,
        location=location,
        ignoring=ignoring,
        busy_margin=durations.duration + durations.before + durations.after,
    )
    full = full_days(service, people, first, last, location=location, ignoring=ignoring)

    def starts_of(member: StaffMember) -> list[int]:
        free = subtract(calendars[member.pk].free(durations), full[member.pk])
        return start_times(free, service, start_zone(member, location))

    slots = {member.pk: _between(starts_of(member), first, last) for member in people}
    if ignoring is not None and durations == Durations.of_appointment(ignoring):
        _remove_present_start(slots, ignoring)
    return slots


def is_within_hours(
    member: StaffMember,
    starts_at: datetime,
    ends_at: datetime,
    *,
    method: int = MeetingMethod.AT_LOCATION,
    location: Location | None = None,
) -> bool:
    """Return whether the staff member works, at an open location, from start to end. Time off isn't checked."""
    start, end = int(starts_at.timestamp()), int(ends_at.timestamp())
    calendar = load_calendar(member, start, end, method=method, location=location)
    return calendar.is_open(start, Durations(end - start))


def _remove_present_start(slots: dict[int, list[int]], appointment: Appointment) -> None:
    """Remove the slot that would leave the appointment as it is."""
    start = int(appointment.starts_at.timestamp())
    of_staff = slots.get(appointment.staff_id, [])
    if start in of_staff:
        of_staff.remove(start)


def _between(moments: list[int], first: int, last: int) -> list[int]:
    """Return the ascending moments in [first, last)."""
    return moments[bisect_left(moments, first) : bisect_left(moments, last)]
