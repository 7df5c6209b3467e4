"""Rows of the page Settings > Closings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from staff.closings.closed_days import ClosedDay, hours_text
from staff.closings.days_text import days_text
from staff.models import DateOverride


@dataclass(frozen=True)
class ClosingRow:
    """A closing of one location, or an exception of a staff member. `hours` is "" if it is closed."""

    override: DateOverride
    days: str
    hours: str


@dataclass(frozen=True)
class HolidayRow:
    """A holiday, and the locations that observe it on this date."""

    day: date
    name: str
    places: str
    all_methods: bool


def closing_rows(overrides: Iterable[DateOverride]) -> list[ClosingRow]:
    """Return the rows of overrides whose hours are prefetched."""
    return [
        ClosingRow(
            override,
            days_text(override.first_day, override.last_day),
            hours_text((row.start, row.end) for row in override.hours.all()),
        )
        for override in overrides
    ]


def holiday_rows(closed: Iterable[ClosedDay], location_count: int) -> list[HolidayRow]:
    """Return the holidays among closed days by date, each once for all locations that observe it alike."""
    places: dict[tuple[date, str, bool], list[str]] = defaultdict(list)
    for each in closed:
        if each.is_holiday:
            places[each.day, each.label, each.all_methods].append(each.location.name)
    return [
        HolidayRow(day, name, _("All locations") if len(names) == location_count > 1 else ", ".join(names), all_methods)
        for (day, name, all_methods), names in places.items()
    ]
