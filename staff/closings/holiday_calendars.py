"""Public holidays that locations observe."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from staff.audit_log.kinds import HOLIDAYS_CHANGED
from staff.audit_log.record import record
from staff.closings.holiday_dates import closed_dates
from staff.closings.locks import lock_locations
from staff.hooks import Days, changing_hours
from staff.models import HolidayCalendar, Location


@dataclass(frozen=True)
class HolidayChoice:
    """Holidays of a country and region, without those whose keys are switched off. Without a country there are none."""

    country: str = ""
    region: str = ""
    all_methods: bool = True
    switched_off: Sequence[str] = field(default_factory=list)


def choice_of(location: Location) -> HolidayChoice:
    """Return the holidays that a location observes."""
    calendar = HolidayCalendar.objects.filter(location=location).first()
    if calendar is None:
        return HolidayChoice()
    return HolidayChoice(calendar.country, calendar.region, calendar.all_methods, calendar.switched_off)


def set_holidays(locations: Collection[Location], choice: HolidayChoice) -> None:
    """Let all these locations observe the same holidays."""
    with transaction.atomic():
        lock_locations(locations)
        with changing_hours(locations=locations, days=_changed_days(locations, choice)):
            for location in locations:
                before = choice_of(location)
                _save(location, choice)
                if choice != before:
                    params = {"before": _as_json(before), "after": _as_json(choice)}
                    record(HOLIDAYS_CHANGED, location, name=location.name, params=params)


def _changed_days(locations: Collection[Location], choice: HolidayChoice) -> list[Days]:
    """Return the days of the next years that are holidays of a location before or after the change."""
    choices = [choice, *(choice_of(location) for location in locations)]
    this_year = timezone.now().year
    days = {
        day
        for each in choices
        if each.country
        # Appointments are at most ten years ahead.
        for year in range(this_year - 1, this_year + 11)
        for day in closed_dates(each.country, each.region, year, frozenset(each.switched_off))
    }
    return [(day, day) for day in sorted(days)]


def _save(location: Location, choice: HolidayChoice) -> None:
    if choice.country:
        HolidayCalendar.objects.update_or_create(location=location, defaults=asdict(choice))
    else:
        HolidayCalendar.objects.filter(location=location).delete()


def _as_json(choice: HolidayChoice) -> dict[str, Any]:
    return {**asdict(choice), "switched_off": [*choice.switched_off]}
