"""Weekly hours of a staff member that start on a later day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.utils import timezone

from staff.audit_log.kinds import FUTURE_HOURS_REMOVED, FUTURE_HOURS_SAVED
from staff.audit_log.record import record
from staff.hours import TimeRange, add_working_hours, sorted_week, week_as_json
from staff.models import StaffMember


def future_weeks(person: StaffMember) -> list[tuple[date, list[TimeRange]]]:
    """Return the weekly hours that start after today, by their first day."""
    today = timezone.localdate(timezone=person.zone)
    weeks: dict[date, list[TimeRange]] = defaultdict(list)
    for row in person.working_hours.filter(starts_on__gt=today):
        assert row.starts_on is not None  # noqa: S101 - narrows the type for mypy
        weeks[row.starts_on].append(TimeRange(row.weekday, row.start, row.end, row.location_id))
    return sorted(weeks.items())


def save_future_week(person: StaffMember, starts_on: date, week: Iterable[TimeRange]) -> None:
    """Add weekly hours from a later day on. Those with the same first day are replaced."""
    after = sorted_week(week)
    with transaction.atomic():
        StaffMember.objects.lock(person.pk)
        person.working_hours.filter(starts_on=starts_on).delete()
        add_working_hours(person, after, starts_on)
        params = {"starts_on": starts_on.isoformat(), "after": week_as_json(after)}
        record(FUTURE_HOURS_SAVED, person, params=params)


def remove_future_week(person: StaffMember, starts_on: date) -> bool:
    """Remove the weekly hours that start on this later day. Return False if there are none."""
    if starts_on <= timezone.localdate(timezone=person.zone):
        return False
    with transaction.atomic():
        StaffMember.objects.lock(person.pk)
        removed, _by_model = person.working_hours.filter(starts_on=starts_on).delete()
        if removed:
            record(FUTURE_HOURS_REMOVED, person, params={"starts_on": starts_on.isoformat()})
    return bool(removed)
