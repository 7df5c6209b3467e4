"""Working calendars of staff members: opening hours, time off and busy time, as intervals of unix seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from django.db.models import prefetch_related_objects

from appointments.availability.calendar_query import load_calendar_rows
from appointments.availability.intervals import (
    Interval,
    WeeklyInterval,
    contains,
    intersect,
    merged,
    subtract,
    weekly_intervals,
)
from appointments.models import Appointment
from services.models import Service
from staff.models import Location, StaffMember

# Later than any appointment: in the year 2286.
_END_OF_TIME: Final = 10**10


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
    Takes one query for any number of people, and one each for locations and organisations that aren't loaded.
    """
    prefetch_related_objects(people, "location", "organization")
    first_day, last_day = first_day - timedelta(days=1), last_day + timedelta(days=1)
    # Zones are up to 14 hours away from UTC, in which the days are counted here.
    start, end = _midnight(first_day - timedelta(days=1)), _midnight(last_day + timedelta(days=2))
    locations = {place.pk for member in people if (place := location or member.location)}
    rows = load_calendar_rows(
        [member.pk for member in people], locations, start, end, ignored=ignoring.pk if ignoring else None
    )

    def hours_of(member: StaffMember) -> list[Interval]:
        place = location or member.location
        opening = tuple(rows.opening_hours[place.pk]) if place else ()
        return _working_intervals(
            _WeeklyHours(tuple(rows.working_hours[member.pk]), member.zone),
            _WeeklyHours(opening, place.time_zone) if place and opening else None,
            first_day,
            last_day,
        )

    return {
        member.pk: Calendar(
            hours_of(member),
            merged([*rows.time_off[member.pk], *_after_last_day(member)]),
            merged(rows.busy_time[member.pk]),
        )
        for member in people
    }


def _after_last_day(member: StaffMember) -> list[Interval]:
    """Return the time after the person's last working day, as time off without an end."""
    return [] if member.leaves_at is None else [(int(member.leaves_at.timestamp()), _END_OF_TIME)]


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


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)
