"""Calendars: when people work at an open place, are off, and are taken. One query for any number of people.

The database returns integers, and they stay integers; `appointments.availability.intervals` does the arithmetic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import prefetch_related_objects

from appointments.availability.intervals import (
    DAY_SECONDS,
    Interval,
    contains,
    intersect,
    merged,
    subtract,
    weekly_intervals,
)
from appointments.models import BUSY_STATUSES, Appointment
from services.models import Service
from staff.models import Location, StaffMember
from staff.prepared import Prepared


@dataclass(frozen=True)
class Durations:
    """How long an appointment takes, in seconds: itself, and the buffers that nobody else may take."""

    duration: int
    before: int = 0
    after: int = 0

    @classmethod
    def of_service(cls, service: Service) -> Durations:
        return cls(service.duration * 60, service.buffer_before * 60, service.buffer_after * 60)

    @classmethod
    def of_appointment(cls, appointment: Appointment) -> Durations:
        """As it was booked, whatever became of the service since."""
        return cls(
            duration=int((appointment.ends_at - appointment.starts_at).total_seconds()),
            before=int((appointment.starts_at - appointment.busy_from).total_seconds()),
            after=int((appointment.busy_to - appointment.ends_at).total_seconds()),
        )

    def starts_within(self, hours: list[Interval]) -> list[Interval]:
        """Starts at which the appointment itself lies inside one stretch of hours; buffers may reach outside."""
        return merged((start, end - self.duration + 1) for start, end in hours)

    def starts_during(self, off: list[Interval]) -> list[Interval]:
        """Starts at which the appointment itself would touch time off."""
        return merged((start - self.duration + 1, end) for start, end in off)

    def starts_clashing(self, busy: list[Interval]) -> list[Interval]:
        """Starts at which the appointment with its buffers would touch what is taken (buffers included)."""
        return merged((start - self.duration - self.after + 1, end + self.before) for start, end in busy)


@dataclass(frozen=True)
class Calendar:
    """One staff member over some days: when they work at an open place, are off, and are taken."""

    hours: list[Interval]
    off: list[Interval]
    busy: list[Interval]

    def free(self, lengths: Durations) -> list[Interval]:
        """Every moment at which an appointment of these lengths may start."""
        starts = subtract(lengths.starts_within(self.hours), lengths.starts_during(self.off))
        return subtract(starts, lengths.starts_clashing(self.busy))

    def is_open(self, start: int, lengths: Durations) -> bool:
        return contains(lengths.starts_within(self.hours), start)

    def is_off(self, start: int, lengths: Durations) -> bool:
        return contains(lengths.starts_during(self.off), start)

    def is_taken(self, start: int, lengths: Durations) -> bool:
        return contains(lengths.starts_clashing(self.busy), start)


def load_calendar(
    member: StaffMember,
    start: int,
    end: int,
    *,
    location: Location | None = None,
    ignoring: Appointment | None = None,
) -> Calendar:
    """One person's calendar around [start, end), in unix seconds."""
    return load_calendars_around([member], start, end, location=location, ignoring=ignoring)[member.pk]


def load_calendars_around(
    people: Sequence[StaffMember],
    start: int,
    end: int,
    *,
    location: Location | None = None,
    ignoring: Appointment | None = None,
) -> dict[int, Calendar]:
    """`load_calendars` of everybody's days from `start` to `end`, in unix seconds."""
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
    """The calendars of these people over whole days and the day around them, by staff pk.

    The place is `location`, or where each person works; people without one are bound by no place's hours. One query
    (and one each for locations and organisations that were not loaded with the people).
    """
    prefetch_related_objects(people, "location", "organization")
    first_day, last_day = first_day - timedelta(days=1), last_day + timedelta(days=1)
    places = {member.pk: location or member.location for member in people}
    rows = _rows(people, [place.pk for place in places.values() if place], first_day, last_day, ignoring)

    def hours_of(member: StaffMember) -> list[Interval]:
        place = places[member.pk]
        works = _Week(tuple(rows[_WORKS, member.pk]), member.zone)
        hours = tuple(rows[_OPEN, place.pk]) if place else ()
        opens = _Week(hours, place.time_zone) if place and hours else None
        return _hours(works, opens, first_day, last_day)

    return {
        member.pk: Calendar(hours_of(member), merged(rows[_OFF, member.pk]), merged(rows[_BUSY, member.pk]))
        for member in people
    }


_WORKS: Final = 1
_OPEN: Final = 2
_OFF: Final = 3
_BUSY: Final = 4
_STATUSES: Final = ", ".join(f"'{status.value}'" for status in BUSY_STATUSES)

# Hours are seconds of the week that begins on Monday, everything else unix seconds. Of what is taken nothing overlaps,
# as a constraint sees to: before the first that begins in time, only the last one can reach into it. So an index finds
# one person's after the other, however long the history is. The statuses are written out, as that index has them.
_SQL: Final = f"""
SELECT 1, staff_id, weekday * 86400 + date_part('epoch', start)::bigint,
       weekday * 86400 + date_part('epoch', "end")::bigint
  FROM staff_workinghours WHERE staff_id = ANY(%(people)s::bigint[])
UNION ALL
SELECT 2, location_id, weekday * 86400 + date_part('epoch', start)::bigint,
       weekday * 86400 + date_part('epoch', "end")::bigint
  FROM staff_locationhours WHERE location_id = ANY(%(places)s::bigint[])
UNION ALL
SELECT 3, staff_id, floor(date_part('epoch', starts_at))::bigint, ceil(date_part('epoch', ends_at))::bigint
  FROM staff_timeoff
 WHERE staff_id = ANY(%(people)s::bigint[]) AND starts_at < %(end)s AND ends_at > %(start)s
UNION ALL
SELECT 4, person, floor(date_part('epoch', busy_from))::bigint, ceil(date_part('epoch', busy_to))::bigint
  FROM unnest(%(people)s::bigint[]) AS person, LATERAL (
        SELECT busy_from, busy_to FROM appointments_appointment
         WHERE staff_id = person AND status IN ({_STATUSES}) AND id <> %(ignoring)s
           AND busy_from >= %(start)s AND busy_from < %(end)s
        UNION ALL
        (SELECT busy_from, busy_to FROM appointments_appointment
          WHERE staff_id = person AND status IN ({_STATUSES}) AND id <> %(ignoring)s AND busy_from < %(start)s
          ORDER BY busy_from DESC LIMIT 1)
       ) AS taken
"""  # noqa: S608 - no values in it
_CALENDARS: Final = Prepared(
    "calendars",
    _SQL,
    {
        "people": "bigint[]",
        "places": "bigint[]",
        "start": "timestamptz",
        "end": "timestamptz",
        "ignoring": "bigint",
    },
)


def _rows(
    people: Sequence[StaffMember],
    places: list[int],
    first_day: date,
    last_day: date,
    ignoring: Appointment | None,
) -> dict[tuple[int, int], list[Interval]]:
    """What `_SQL` finds, by what it is and whose."""
    parameters: dict[str, Any] = {
        "people": [member.pk for member in people],
        "places": list(set(places)),
        "start": _moment(first_day - timedelta(days=1)),
        "end": _moment(last_day + timedelta(days=2)),
        "ignoring": ignoring.pk if ignoring else 0,
    }
    found: dict[tuple[int, int], list[Interval]] = defaultdict(list)
    with connection.cursor() as cursor:
        _CALENDARS.execute(cursor, parameters)
        for kind, owner, start, end in cursor.fetchall():
            found[kind, owner].append((start, end))
    return found


class _Week(NamedTuple):
    """Hours as seconds of the week, by the clocks of a zone."""

    hours: tuple[Interval, ...]
    zone: tzinfo

    def spans(self, first_day: date, last_day: date) -> list[Interval]:
        week = [(start // DAY_SECONDS, _time_of(start), _time_of(end)) for start, end in self.hours]
        return weekly_intervals(week, self.zone, first_day, last_day)


@lru_cache(maxsize=1024)
def _hours(works: _Week, opens: _Week | None, first_day: date, last_day: date) -> list[Interval]:
    """When somebody works while the place is open. Colleagues with the same hours share the answer: it is only read."""
    spans = works.spans(first_day, last_day)
    return spans if opens is None else intersect(spans, opens.spans(first_day, last_day))


def _time_of(second: int) -> time:
    minute, second = divmod(second % DAY_SECONDS, 60)
    return time(minute // 60, minute % 60, second)


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)
