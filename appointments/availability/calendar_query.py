"""Query for the rows of working calendars, the only hand-written SQL statement of availability and booking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil, floor
from typing import Any, Final

from django.db import connection

from appointments.availability.intervals import Interval, WeeklyInterval
from appointments.models import BUSY_STATUSES, LONGEST_BUSY_TIME

# Rate of a month of one person in bare views, budget 0.11: 0.055 to 0.08 with four ORM queries, 0.11 to 0.16 with this
# statement.
# The lower limit of busy_from lets the index skip the history, however long it is.
_CALENDAR_ROWS: Final = """
SELECT 'working', staff_id, weekday, start, "end", NULL::timestamptz, NULL::timestamptz
  FROM staff_workinghours WHERE staff_id = ANY(%(people)s)
UNION ALL
SELECT 'opening', location_id, weekday, start, "end", NULL, NULL
  FROM staff_locationhours WHERE location_id = ANY(%(locations)s)
UNION ALL
SELECT 'off', staff_id, NULL, NULL, NULL, starts_at, ends_at
  FROM staff_timeoff WHERE staff_id = ANY(%(people)s) AND starts_at < %(end)s AND ends_at > %(start)s
UNION ALL
SELECT 'busy', staff_id, NULL, NULL, NULL, busy_from, busy_to
  FROM appointments_appointment
 WHERE staff_id = ANY(%(people)s) AND status IN %(busy)s AND id IS DISTINCT FROM %(ignored)s
   AND busy_from >= %(earliest)s AND busy_from < %(end)s AND busy_to > %(start)s
"""


@dataclass(frozen=True)
class CalendarRows:
    """Weekly hours, and time off and busy time as unsorted intervals, by pk of the staff member or location."""

    working_hours: defaultdict[int, list[WeeklyInterval]] = field(default_factory=lambda: defaultdict(list))
    opening_hours: defaultdict[int, list[WeeklyInterval]] = field(default_factory=lambda: defaultdict(list))
    time_off: defaultdict[int, list[Interval]] = field(default_factory=lambda: defaultdict(list))
    busy_time: defaultdict[int, list[Interval]] = field(default_factory=lambda: defaultdict(list))


def load_calendar_rows(
    people: Collection[int],
    locations: Collection[int],
    start: datetime,
    end: datetime,
    *,
    ignored: int | None = None,
) -> CalendarRows:
    """Load the rows of staff members and locations by their pks, in one query.

    Time off and busy time are those that overlap [start, end). `ignored` is the pk of an appointment to leave out.
    """
    rows = CalendarRows()
    weekly = {"working": rows.working_hours, "opening": rows.opening_hours}
    intervals = {"off": rows.time_off, "busy": rows.busy_time}
    parameters: dict[str, Any] = {
        "people": [*people],
        "locations": [*locations],
        "start": start,
        "end": end,
        "earliest": start - LONGEST_BUSY_TIME,
        "busy": tuple(status.value for status in BUSY_STATUSES),
        "ignored": ignored,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CALENDAR_ROWS, parameters)
        for kind, owner, weekday, opens, closes, starts_at, ends_at in cursor.fetchall():
            if kind in weekly:
                weekly[kind][owner].append((weekday, opens, closes))
            else:
                intervals[kind][owner].append((floor(starts_at.timestamp()), ceil(ends_at.timestamp())))
    return rows
