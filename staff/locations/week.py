"""Weekly opening hours of a location."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from staff.audit_log.kinds import OPENING_HOURS_CHANGED
from staff.audit_log.record import record
from staff.closings.locks import lock_locations
from staff.hooks import changing_hours
from staff.hours import TimeRange, sorted_week, week_as_json
from staff.models import Location, LocationHours


def opening_week_of(location: Location) -> list[TimeRange]:
    """Return the weekly hours in force today, Monday first; an empty list if the location is always open."""
    today = timezone.localdate(timezone=location.time_zone)
    rows = [row for row in location.hours.all() if row.starts_on is None or row.starts_on <= today]
    latest = max((row.starts_on or date.min for row in rows), default=None)
    return [TimeRange(row.weekday, row.start, row.end) for row in rows if (row.starts_on or date.min) == latest]


def replace_opening_week(location: Location, week: Iterable[TimeRange]) -> None:
    """Replace the weekly hours in force today. Those that start on a later day stay."""
    after = sorted_week(week)
    with transaction.atomic():
        lock_locations([location])
        before = opening_week_of(Location.objects.lock(location.pk))
        today = timezone.localdate(timezone=location.time_zone)
        with changing_hours(locations=[location]):
            location.hours.filter(Q(starts_on=None) | Q(starts_on__lte=today)).delete()
            LocationHours.objects.bulk_create(
                LocationHours(location=location, weekday=part.weekday, start=part.start, end=part.end) for part in after
            )
        if after != before:
            params = {"before": week_as_json(before), "after": week_as_json(after)}
            record(OPENING_HOURS_CHANGED, location, name=location.name, params=params)
