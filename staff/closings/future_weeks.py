"""Weekly hours of a staff member or a location that start on a later day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from staff.audit_log.kinds import (
    FUTURE_HOURS_REMOVED,
    FUTURE_HOURS_SAVED,
    FUTURE_OPENING_HOURS_REMOVED,
    FUTURE_OPENING_HOURS_SAVED,
)
from staff.audit_log.record import record
from staff.closings.locks import lock_locations
from staff.hooks import changing_hours
from staff.hours import TimeRange, add_working_hours, sorted_week, week_as_json
from staff.models import Location, LocationHours, StaffMember, WorkingHours

Owner: TypeAlias = StaffMember | Location


def future_weeks(owner: Owner) -> list[tuple[date, list[TimeRange]]]:
    """Return the weekly hours that start after today, by their first day."""
    weeks: dict[date, list[TimeRange]] = defaultdict(list)
    for row in _rows(owner).filter(starts_on__gt=_today(owner)):
        # A location's own key is no choice of a location.
        place = row.location_id if isinstance(row, WorkingHours) else None
        weeks[row.starts_on].append(TimeRange(row.weekday, row.start, row.end, place))
    return sorted(weeks.items())


def save_future_week(owner: Owner, starts_on: date, week: Iterable[TimeRange]) -> None:
    """Add weekly hours from a later day on. Those with the same first day are replaced."""
    after = sorted_week(week)
    is_person = isinstance(owner, StaffMember)
    with transaction.atomic():
        _lock(owner)
        with _changing_hours(owner):
            _rows(owner).filter(starts_on=starts_on).delete()
            _add(owner, after, starts_on)
        params = {"starts_on": starts_on.isoformat(), "after": week_as_json(after)}
        kind = FUTURE_HOURS_SAVED if is_person else FUTURE_OPENING_HOURS_SAVED
        record(kind, owner, name="" if is_person else owner.name, params=params)


def remove_future_week(owner: Owner, starts_on: date) -> bool:
    """Remove the weekly hours that start on this later day. Return False if there are none."""
    if starts_on <= _today(owner):
        return False
    is_person = isinstance(owner, StaffMember)
    with transaction.atomic():
        _lock(owner)
        with _changing_hours(owner):
            removed, _by_model = _rows(owner).filter(starts_on=starts_on).delete()
        if removed:
            kind = FUTURE_HOURS_REMOVED if is_person else FUTURE_OPENING_HOURS_REMOVED
            params = {"starts_on": starts_on.isoformat()}
            record(kind, owner, name="" if is_person else owner.name, params=params)
    return bool(removed)


def zone_of(owner: Owner) -> ZoneInfo:
    """Return the time zone of the owner's hours."""
    if isinstance(owner, StaffMember):
        return owner.zone
    zone: ZoneInfo = owner.time_zone
    return zone


def _today(owner: Owner) -> date:
    return timezone.localdate(timezone=zone_of(owner))


def _rows(owner: Owner) -> Any:
    return owner.working_hours if isinstance(owner, StaffMember) else owner.hours


def _lock(owner: Owner) -> None:
    if isinstance(owner, StaffMember):
        StaffMember.objects.lock(owner.pk)
    else:
        lock_locations([owner])


def _changing_hours(owner: Owner) -> AbstractContextManager[None]:
    if isinstance(owner, StaffMember):
        return changing_hours(person=owner.pk)
    return changing_hours(locations=[owner])


def _add(owner: Owner, week: Iterable[TimeRange], starts_on: date) -> None:
    if isinstance(owner, StaffMember):
        add_working_hours(owner, week, starts_on)
        return
    LocationHours.objects.bulk_create(
        LocationHours(location=owner, weekday=part.weekday, start=part.start, end=part.end, starts_on=starts_on)
        for part in week
    )
