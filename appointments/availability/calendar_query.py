"""Query for the rows of working calendars, the only hand-written SQL statement of availability and booking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from math import ceil, floor
from typing import Any, Final, NamedTuple

from django.db import connection

from appointments.availability.intervals import Interval
from appointments.availability.open_hours import HolidayRule
from appointments.models import BUSY_STATUSES, LONGEST_BUSY_TIME

# Rate of a month of one person in bare views, budget 0.11: 0.055 to 0.08 with four ORM queries, 0.11 to 0.16 with this
# statement.
# The lower limit of busy_from lets the index skip the history, however long it is.
# `number` is a weekday, or the key of an override. `day` is the start of weekly hours, or the first day of an override.
_CALENDAR_ROWS: Final = """
SELECT 'working' AS kind, staff_id AS owner, weekday::bigint AS number, start AS opens, "end" AS closes,
       NULL::timestamptz AS starts_at, NULL::timestamptz AS ends_at, location_id AS place, starts_on AS day,
       NULL::date AS last_day, NULL::boolean AS all_methods, NULL::text[] AS words
  FROM staff_workinghours WHERE staff_id = ANY(%(people)s)
UNION ALL
SELECT 'opening', location_id, weekday, start, "end", NULL, NULL, NULL, starts_on, NULL, NULL, NULL
  FROM staff_locationhours WHERE location_id = ANY(%(locations)s)
UNION ALL
SELECT 'off', staff_id, NULL, NULL, NULL, starts_at, ends_at, NULL, NULL, NULL, NULL, NULL
  FROM staff_timeoff WHERE staff_id = ANY(%(people)s) AND starts_at < %(end)s AND ends_at > %(start)s
UNION ALL
SELECT 'override', COALESCE(o.staff_id, o.location_id), o.id, h.start, h."end", NULL, NULL, o.branch_id,
       o.first_day, o.last_day, o.all_methods, ARRAY[CASE WHEN o.staff_id IS NULL THEN 'opening' ELSE 'working' END]
  FROM staff_dateoverride o LEFT JOIN staff_overridehours h ON h.override_id = o.id
 WHERE (o.staff_id = ANY(%(people)s) OR o.location_id = ANY(%(locations)s))
   AND o.first_day <= %(last_day)s AND o.last_day >= %(first_day)s
UNION ALL
SELECT 'holidays', location_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, all_methods,
       ARRAY[country, region] || switched_off
  FROM staff_holidaycalendar WHERE location_id = ANY(%(locations)s)
UNION ALL
SELECT 'busy', staff_id, NULL, NULL, NULL, busy_from, busy_to, NULL, NULL, NULL, NULL, NULL
  FROM appointments_appointment
 WHERE staff_id = ANY(%(people)s) AND status IN %(busy)s AND id IS DISTINCT FROM %(ignored)s
   AND busy_from >= %(earliest)s AND busy_from < %(busy_to)s AND busy_to > %(busy_from)s
"""


class WeeklyRow(NamedTuple):
    """Row of weekly hours, in force from a date on; None for always. `place` is the location of a staff member."""

    starts_on: date | None
    weekday: int
    start: time
    end: time
    place: int | None


class OverrideRow(NamedTuple):
    """Row of an override with one of its intervals; without start and end if the override has none."""

    pk: int
    first_day: date
    last_day: date
    all_methods: bool
    start: time | None
    end: time | None
    place: int | None


@dataclass(frozen=True)
class HoursRows:
    """Rows that decide the hours of staff members or of locations, by their pk."""

    weekly: defaultdict[int, list[WeeklyRow]] = field(default_factory=lambda: defaultdict(list))
    overrides: defaultdict[int, list[OverrideRow]] = field(default_factory=lambda: defaultdict(list))
    holidays: dict[int, HolidayRule] = field(default_factory=dict)


@dataclass(frozen=True)
class CalendarRows:
    """Hours, and time off and busy time as unsorted intervals, by pk of the staff member or location."""

    working: HoursRows = field(default_factory=HoursRows)
    opening: HoursRows = field(default_factory=HoursRows)
    time_off: defaultdict[int, list[Interval]] = field(default_factory=lambda: defaultdict(list))
    busy_time: defaultdict[int, list[Interval]] = field(default_factory=lambda: defaultdict(list))


class _Row(NamedTuple):
    """Row of the statement; most kinds leave some columns empty."""

    kind: str
    owner: int
    number: Any
    opens: Any
    closes: Any
    starts_at: Any
    ends_at: Any
    place: int | None
    day: Any
    last_day: Any
    all_methods: Any
    words: Any


def load_calendar_rows(
    people: Collection[int],
    locations: Collection[int],
    start: datetime,
    end: datetime,
    *,
    ignored: int | None = None,
    busy_within: tuple[datetime, datetime] | None = None,
) -> CalendarRows:
    """Load the rows of staff members and locations by their pks, in one query.

    Overrides, time off and busy time are those that overlap [start, end); busy time those that overlap `busy_within`
    if it is given. `ignored` is the pk of an appointment to leave out.
    """
    busy_from, busy_to = busy_within or (start, end)
    parameters: dict[str, Any] = {
        "people": [*people],
        "locations": [*locations],
        "start": start,
        "end": end,
        "first_day": start.date(),
        "last_day": end.date(),
        "busy_from": busy_from,
        "busy_to": busy_to,
        "earliest": busy_from - LONGEST_BUSY_TIME,
        "busy": tuple(status.value for status in BUSY_STATUSES),
        "ignored": ignored,
    }
    rows = CalendarRows()
    for row in _fetch(parameters):
        _add(rows, row)
    return rows


def _fetch(parameters: dict[str, Any]) -> Iterator[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(_CALENDAR_ROWS, parameters)
        yield from map(_Row._make, cursor.fetchall())


def _add(rows: CalendarRows, row: _Row) -> None:
    if row.kind == "busy":
        rows.busy_time[row.owner].append((floor(row.starts_at.timestamp()), ceil(row.ends_at.timestamp())))
    elif row.kind == "off":
        rows.time_off[row.owner].append((floor(row.starts_at.timestamp()), ceil(row.ends_at.timestamp())))
    elif row.kind == "override":
        override = OverrideRow(row.number, row.day, row.last_day, row.all_methods, row.opens, row.closes, row.place)
        getattr(rows, row.words[0]).overrides[row.owner].append(override)
    elif row.kind == "holidays":
        country, region, *switched_off = row.words
        rows.opening.holidays[row.owner] = HolidayRule(country, region, row.all_methods, frozenset(switched_off))
    else:
        weekly = WeeklyRow(row.day, row.number, row.opens, row.closes, row.place)
        getattr(rows, row.kind).weekly[row.owner].append(weekly)
