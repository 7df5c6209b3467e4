"""Weekly opening hours of a location."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from staff.audit_log.kinds import OPENING_HOURS_CHANGED
from staff.audit_log.record import record
from staff.closings.locks import lock_locations
from staff.hours import TimeRange, sorted_week, week_as_json
from staff.models import Location, LocationHours


def opening_week_of(location: Location) -> list[TimeRange]:
    """Return the weekly hours, Monday first; an empty list if the location is always open.

    Uses prefetched `hours`. Locations have no hours that start on a later day.
    """
    return sorted_week(TimeRange(row.weekday, row.start, row.end) for row in location.hours.all())


def replace_opening_week(location: Location, week: Iterable[TimeRange]) -> None:
    """Replace the weekly hours of the location."""
    after = sorted_week(week)
    with transaction.atomic():
        lock_locations([location])
        before = opening_week_of(Location.objects.lock(location.pk))
        location.hours.all().delete()
        LocationHours.objects.bulk_create(
            LocationHours(location=location, weekday=part.weekday, start=part.start, end=part.end) for part in after
        )
        if after != before:
            params = {"before": week_as_json(before), "after": week_as_json(after)}
            record(OPENING_HOURS_CHANGED, location, name=location.name, params=params)
