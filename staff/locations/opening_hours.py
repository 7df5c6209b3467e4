"""Opening hours of a location in a line, for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from staff.closings.closed_days import closed_days, hours_text
from staff.hours import TimeRange
from staff.locations.week import opening_week_of
from staff.models import Location


def week_text(week: Iterable[TimeRange], first_weekday: int = 0) -> str:
    """Return the weekly hours, such as "Mon–Fri 09:00–17:00; Sat 09:00–12:00"; "" without hours.

    Days with the same hours that follow each other are one part. Days without hours are left out.
    """
    by_day = _by_day(week)
    parts: list[tuple[list[int], str]] = []
    for day in ((first_weekday + number) % 7 for number in range(7)):
        text = by_day.get(day, "")
        if parts and parts[-1][1] == text:
            parts[-1][0].append(day)
        else:
            parts.append(([day], text))
    return "; ".join(f"{_days_text(days)} {text}" for days, text in parts if text)


def today_texts(locations: Sequence[Location], now: datetime) -> dict[int, str]:
    """Return what holds at each location on its present day, by pk: "Today 09:00–17:00" or "Closed today".

    Closings and holidays count. The text is "" if the location is always open. Prefetch `hours`. Takes three more
    queries for any number of locations.
    """
    if not locations:
        return {}
    days = {location.pk: now.astimezone(location.time_zone).date() for location in locations}
    closed = {
        (found.location.pk, found.day): found.hours_text
        for found in reversed(closed_days(locations, min(days.values()), max(days.values())))
    }
    return {
        location.pk: _today_text(opening_week_of(location), days[location.pk].weekday(), closed.get(key))
        for location in locations
        for key in [(location.pk, days[location.pk])]
    }


def _today_text(week: Sequence[TimeRange], weekday: int, instead: str | None) -> str:
    """`instead` are the hours of an exception on this day, "" if it is closed; None without one."""
    if not week and instead is None:
        return ""
    hours = _by_day(week).get(weekday, "") if instead is None else instead
    return _("Today %(hours)s") % {"hours": hours} if hours else _("Closed today")


def _by_day(week: Iterable[TimeRange]) -> dict[int, str]:
    days: dict[int, list[TimeRange]] = defaultdict(list)
    for part in sorted(week, key=lambda part: part.minutes):
        days[part.weekday].append(part)
    return {day: hours_text((part.start, part.end) for part in parts) for day, parts in days.items()}


def _days_text(days: list[int]) -> str:
    names = [str(WEEKDAYS_ABBR[day]) for day in days]
    return names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"
