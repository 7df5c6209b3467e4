"""Days on which locations are closed or have other hours, for people to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from django.utils.translation import gettext as _

from staff.clock import format_time
from staff.closings.holiday_dates import holidays_of
from staff.models import DateOverride, HolidayCalendar, Location


@dataclass(frozen=True)
class ClosedDay:
    """A day on which a location is closed, or has other hours. `all_methods` is False if phone and video go on."""

    location: Location
    day: date
    label: str
    all_methods: bool
    hours: Sequence[tuple[time, time]] = ()
    is_holiday: bool = False

    @property
    def hours_text(self) -> str:
        return hours_text(self.hours)

    def is_open_between(self, start: time, end: time) -> bool:
        """Return whether one interval of the hours contains these times of the same day."""
        return any(opens <= start and (end <= closes or closes <= opens) for opens, closes in self.hours)

    @property
    def text(self) -> str:
        """Return the closing without its location, such as "Closed: Christmas Day"."""
        params = {"hours": self.hours_text, "label": self.label}
        if self.hours:
            return _("Open %(hours)s: %(label)s") % params if self.label else _("Open %(hours)s") % params
        return _("Closed: %(label)s") % params if self.label else _("Closed")


def hours_text(hours: Iterable[tuple[time, time]]) -> str:
    """Return hours such as "09:00–12:00, 13:00–17:00"."""
    return ", ".join(f"{format_time(start)}–{format_time(end)}" for start, end in hours)


def closed_days(locations: Sequence[Location], first_day: date, last_day: date) -> list[ClosedDay]:
    """Return the closed days by date and name of the location, an override before a holiday. Takes three queries."""
    by_pk = {location.pk: location for location in locations}
    overrides = DateOverride.objects.filter(location__in=by_pk).overlapping(first_day, last_day)
    found = [
        closed
        for override in overrides.prefetch_related("hours")
        for closed in _days_of_override(override, by_pk[override.location_id or 0], first_day, last_day)
    ]
    for calendar in HolidayCalendar.objects.filter(location__in=by_pk):
        found += _days_of_holidays(calendar, by_pk[calendar.location_id], first_day, last_day)
    return sorted(found, key=lambda closed: (closed.day, closed.location.name.casefold(), closed.is_holiday))


def closed_day_of(location: Location, day: date, *, in_person: bool) -> ClosedDay | None:
    """Return what decides a location's hours on a day instead of its weekly hours, if anything does."""
    found = closed_days([location], day, day)
    return next((closed for closed in found if in_person or closed.all_methods), None)


def _days_of_override(
    override: DateOverride, location: Location, first_day: date, last_day: date
) -> Iterator[ClosedDay]:
    hours = [(row.start, row.end) for row in override.hours.all()]
    day = max(first_day, override.first_day)
    while day <= min(last_day, override.last_day):
        yield ClosedDay(location, day, override.label, override.all_methods, hours)
        day += timedelta(days=1)


def _days_of_holidays(
    calendar: HolidayCalendar, location: Location, first_day: date, last_day: date
) -> Iterator[ClosedDay]:
    for year in range(first_day.year, last_day.year + 1):
        for holiday in holidays_of(calendar.country, calendar.region, year):
            if first_day <= holiday.date <= last_day and holiday.key not in calendar.switched_off:
                yield ClosedDay(location, holiday.date, holiday.name, calendar.all_methods, is_holiday=True)
