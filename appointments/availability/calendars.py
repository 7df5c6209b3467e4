"""Working calendars of staff members: opening hours, time off and busy time, as intervals of unix seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from math import ceil, floor
from typing import NamedTuple

from django.db.models import prefetch_related_objects

from appointments.availability.intervals import (
    Interval,
    WeeklyInterval,
    contains,
    intersect,
    merged,
    subtract,
    weekly_intervals,
)
from appointments.models import LONGEST_BUSY_TIME, Appointment
from services.models import Service
from staff.models import Location, LocationHours, StaffMember, TimeOff, WorkingHours


@dataclass(frozen=True)
class Durations:
    """Duration of an appointment and the buffers around it, in seconds."""

    duration: int
    before: int = 0
    after: int = 0

    @classmethod
    def of_service(cls, service: Service) -> Durations:
        """Return the durations of new appointments of a service."""
        return cls(service.duration * 60, service.buffer_before * 60, service.buffer_after * 60)

    @classmethod
    def of_appointment(cls, appointment: Appointment) -> Durations:
        """Return the durations as booked, even if the service has changed since."""
        return cls(
            duration=int((appointment.ends_at - appointment.starts_at).total_seconds()),
            before=int((appointment.starts_at - appointment.busy_from).total_seconds()),
            after=int((appointment.busy_to - appointment.ends_at).total_seconds()),
        )

    def starts_within(self, hours: list[Interval]) -> list[Interval]:
        """Return the starts that keep the appointment inside one interval of hours. Buffers may reach outside."""
        return merged((start, end - self.duration + 1) for start, end in hours)

    def starts_during(self, off: list[Interval]) -> list[Interval]:
        """Return the starts at which the appointment, without its buffers, would overlap time off."""
        return merged((start - self.duration + 1, end) for start, end in off)

    def starts_clashing(self, busy: list[Interval]) -> list[Interval]:
        """Return the starts at which the appointment, with its buffers, would overlap busy time."""
        return merged((start - self.duration - self.after + 1, end + self.before) for start, end in busy)


@dataclass(frozen=True)
class Calendar:
    """Hours, time off and busy time of one staff member over some days.

    `hours` are the working hours during which the location is open. `busy` includes buffers.
    """

    hours: list[Interval]
    off: list[Interval]
    busy: list[Interval]

    def free(self, durations: Durations) -> list[Interval]:
        """Return the intervals in which an appointment of these durations may start."""
        starts = subtract(durations.starts_within(self.hours), durations.starts_during(self.off))
        return subtract(starts, durations.starts_clashing(self.busy))

    def is_open(self, start: int, durations: Durations) -> bool:
        return contains(durations.starts_within(self.hours), start)

    def is_off(self, start: int, durations: Durations) -> bool:
        return contains(durations.starts_during(self.off), start)

    def is_taken(self, start: int, durations: Durations) -> bool:
        return contains(durations.starts_clashing(self.busy), start)


def load_calendar(
    member: StaffMember,
    start: int,
    end: int,
    *,
    location: Location | None = None,
    ignoring: Appointment | None = None,
) -> Calendar:
    """Load one staff member's calendar around [start, end), in unix seconds."""
    return load_calendars_around([member], start, end, location=location, ignoring=ignoring)[member.pk]


def load_calendars_around(
    people: Sequence[StaffMember],
    start: int,
    end: int,
    *,
    location: Location | None = None,
    ignoring: Appointment | None = None,
) -> dict[int, Calendar]:
    """Load the calendars of the days from `start` to `end`, in unix seconds; see `load_calendars`."""
    prefetch_related_objects(people, "location", "organization")
    zones = {member.zone for member in people}
    first_day = min(datetime.fromtimestamp(start, zone).date() for zone in zones)
    last_day = max(datetime.fromtimestamp(end, zone).date() for zone in zones)
    return load_calendars(people, first_day, last_day, location=location, ignoring=ignoring)


def load_calendars(
    people: Sequence[StaffMember],
    first_day: date,
    last_day: date,
    *,
    location: Location | None = None,
    ignoring: Appointment | None = None,
) -> dict[int, Calendar]:
    """Load the calendars of some staff members, by staff pk, for these days and the day before and after.

    The opening hours are those of `location` or, without it, of each person's own location. A person without a
    location is bound by no opening hours. `ignoring` is an appointment whose own time counts as free.
    Takes four queries for any number of people; locations and organisations that are not loaded take one each.
    """
    prefetch_related_objects(people, "location", "organization")
    first_day, last_day = first_day - timedelta(days=1), last_day + timedelta(days=1)
    # Zones are up to 14 hours away from UTC, in which the days are counted here.
    start, end = _midnight(first_day - timedelta(days=1)), _midnight(last_day + timedelta(days=2))
    working_hours = _load_working_hours(people)
    opening_hours = _load_opening_hours(
        {place for member in people if (place := location or member.location)}
    )
    time_off = _load_time_off(people, start, end)
    busy_time = _load_busy_time(people, start, end, ignoring)

    def hours_of(member: StaffMember) -> list[Interval]:
        place = location or member.location
        opening = tuple(opening_hours[place.pk]) if place else ()
        return _working_intervals(
            _WeeklyHours(tuple(working_hours[member.pk]), member.zone),
            _WeeklyHours(opening, place.time_zone) if place and opening else None,
            first_day,
            last_day,
        )

    return {
        member.pk: Calendar(hours_of(member), merged(time_off[member.pk]), merged(busy_time[member.pk]))
        for member in people
    }


def _load_working_hours(people: Sequence[StaffMember]) -> dict[int, list[WeeklyInterval]]:
    hours: dict[int, list[WeeklyInterval]] = defaultdict(list)
    rows = WorkingHours.objects.filter(staff__in=people)
    for staff, weekday, start, end in rows.values_list("staff", "weekday", "start", "end"):
        hours[staff].append((weekday, start, end))
    return hours


def _load_opening_hours(places: Collection[Location]) -> dict[int, list[WeeklyInterval]]:
    hours: dict[int, list[WeeklyInterval]] = defaultdict(list)
    rows = LocationHours.objects.filter(location__in=places)
    for place, weekday, start, end in rows.values_list("location", "weekday", "start", "end"):
        hours[place].append((weekday, start, end))
    return hours


def _load_time_off(
    people: Sequence[StaffMember], start: datetime, end: datetime
) -> dict[int, list[Interval]]:
    intervals: dict[int, list[Interval]] = defaultdict(list)
    rows = TimeOff.objects.filter(staff__in=people).overlapping(start, end).order_by()
    for staff, starts_at, ends_at in rows.values_list("staff", "starts_at", "ends_at"):
        intervals[staff].append(_seconds(starts_at, ends_at))
    return intervals


def _load_busy_time(
    people: Sequence[StaffMember], start: datetime, end: datetime, ignoring: Appointment | None
) -> dict[int, list[Interval]]:
    # The lower limit lets the index skip the history, however long it is.
    rows = Appointment.objects.busy().filter(
        staff__in=people, busy_from__gte=start - LONGEST_BUSY_TIME, busy_from__lt=end, busy_to__gt=start
    )
    if ignoring is not None:
        rows = rows.exclude(pk=ignoring.pk)
    intervals: dict[int, list[Interval]] = defaultdict(list)
    for staff, busy_from, busy_to in rows.order_by().values_list("staff", "busy_from", "busy_to"):
        intervals[staff].append(_seconds(busy_from, busy_to))
    return intervals


class _WeeklyHours(NamedTuple):
    """Weekly hours by the clock of a time zone."""

    hours: tuple[WeeklyInterval, ...]
    zone: tzinfo

    def intervals(self, first_day: date, last_day: date) -> list[Interval]:
        return weekly_intervals(self.hours, self.zone, first_day, last_day)


@lru_cache(maxsize=1024)
def _working_intervals(
    working: _WeeklyHours, opening: _WeeklyHours | None, first_day: date, last_day: date
) -> list[Interval]:
    """Return the working hours during which the location is open.

    Staff with the same hours share the result, so nothing may change it.
    """
    intervals = working.intervals(first_day, last_day)
    return intervals if opening is None else intersect(intervals, opening.intervals(first_day, last_day))


def _seconds(start: datetime, end: datetime) -> Interval:
    """Return the whole unix seconds that cover the time from start to end."""
    return floor(start.timestamp()), ceil(end.timestamp())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)
