"""Closings and days off on the schedule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from appointments.availability.intervals import Interval, local_datetime
from staff.closings.closed_days import ClosedDay, closed_days
from staff.models import DateOverride, Location, StaffMember


@dataclass(frozen=True)
class ClosingNote:
    """A closing of one or several locations on a day, as text."""

    day: date
    places: str
    text: str
    all_methods: bool


def closing_notes(locations: Iterable[Location], first_day: date, last_day: date) -> list[ClosingNote]:
    """Return the closings of these locations by day. Takes three queries."""
    return _notes(closed_days(list(locations), first_day, last_day))


def _notes(closed: Iterable[ClosedDay]) -> list[ClosingNote]:
    names: dict[tuple[date, str, bool], list[str]] = defaultdict(list)
    for each in closed:
        names[each.day, each.text, each.all_methods].append(each.location.name)
    return [
        ClosingNote(day, ", ".join(places), text, all_methods) for (day, text, all_methods), places in names.items()
    ]


def days_off(people: Sequence[StaffMember], first_day: date, last_day: date) -> dict[int, list[Interval]]:
    """Return the exceptions without hours by pk of the staff member. Takes one query."""
    members = {member.pk: member for member in people}
    rows = DateOverride.objects.overlapping(first_day, last_day).filter(staff__in=people, hours=None)
    found: dict[int, list[Interval]] = defaultdict(list)
    for row in rows:
        zone = members[row.staff_id or 0].zone
        start = local_datetime(row.first_day, time(0), zone)
        end = local_datetime(row.last_day + timedelta(days=1), time(0), zone)
        found[row.staff_id or 0].append((start, end))
    return found
