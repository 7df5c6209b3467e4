"""Weekly opening hours of a location."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from staff.audit_log.kinds import OPENING_HOURS_CHANGED
from staff.audit_log.record import record
from staff.hours import TimeRange
from staff.locations.saving import bookable_at
from staff.locks import lock_staff
from staff.models import Location, LocationHours


def opening_week_of(location: Location) -> list[TimeRange]:
    """Return the weekly hours, Monday first; an empty list if the location is always open."""
    return [TimeRange(row.weekday, row.start, row.end) for row in location.hours.all()]


def replace_opening_week(location: Location, week: Iterable[TimeRange]) -> None:
    """Replace the weekly hours of the location."""
    after = sorted(week)
    with transaction.atomic():
        lock_staff(bookable_at(location))
        Location.objects.lock(location.pk)
        before = opening_week_of(location)
        location.hours.all().delete()
        LocationHours.objects.bulk_create(
            LocationHours(location=location, weekday=part.weekday, start=part.start, end=part.end) for part in after
        )
        if after != before:
            params = {"before": _as_json(before), "after": _as_json(after)}
            record(OPENING_HOURS_CHANGED, location, name=location.name, params=params)


def _as_json(week: Iterable[TimeRange]) -> list[list[Any]]:
    """Return weekday, start and end of each range, such as [0, "09:00", "17:00"]."""
    return [[part.weekday, f"{part.start:%H:%M}", f"{part.end:%H:%M}"] for part in week]
