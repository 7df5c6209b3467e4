"""Opening hours of a location in a line, for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from staff.clock import format_time
from staff.hours import TimeRange
from staff.locations.week import opening_week_of
from staff.models import Location, LocationHours

Hours: TypeAlias = TimeRange | LocationHours


def week_text(hours: Iterable[Hours], first_weekday: int = 0) -> str:
    """Return the weekly hours, such as "Mon–Fri 09:00–17:00; Sat 09:00–12:00"; "" without hours.

    Days with the same hours that follow each other are one part. Days without hours are left out.
    """
    by_day = _by_day(hours)
    parts: list[tuple[list[int], str]] = []
    for day in ((first_weekday + number) % 7 for number in range(7)):
        text = by_day.get(day, "")
        if parts and parts[-1][1] == text:
            parts[-1][0].append(day)
        else:
            parts.append(([day], text))
    return "; ".join(f"{_days_text(days)} {text}" for days, text in parts if text)


def today_text(location: Location, now: datetime) -> str:
    """Return the hours of the location's present day, such as "Today 09:00–17:00"; "" if it is always open.

    Prefetch `hours`.
    """
    by_day = _by_day(opening_week_of(location))
    if not by_day:
        return ""
    text = by_day.get(now.astimezone(location.time_zone).weekday())
    return _("Today %(hours)s") % {"hours": text} if text else _("Closed today")


def _by_day(hours: Iterable[Hours]) -> dict[int, str]:
    ranges: dict[int, list[str]] = defaultdict(list)
    for part in sorted(hours, key=lambda part: (part.weekday, part.start)):
        ranges[part.weekday].append(f"{format_time(part.start)}–{format_time(part.end)}")
    return {day: ", ".join(texts) for day, texts in ranges.items()}


def _days_text(days: list[int]) -> str:
    names = [str(WEEKDAYS_ABBR[day]) for day in days]
    return names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"
