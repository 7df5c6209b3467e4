"""Working hours and time off of a staff member.

Edits lock the staff row, as bookings do, so that neither relies on what the other is changing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.formats import date_format

from staff.audit_log.kinds import HOURS_CHANGED, TIME_OFF_ADDED, TIME_OFF_REMOVED
from staff.audit_log.record import record
from staff.hooks import changing_hours
from staff.models import StaffMember, TimeOff, WorkingHours


@dataclass(frozen=True, order=True)
class TimeRange:
    """Working hours without a break, in the person's time zone. Weekdays count as `date.weekday()` does."""

    weekday: int
    start: time
    end: time


def week_of(person: StaffMember) -> list[TimeRange]:
    """Return the person's weekly hours, Monday first."""
    return [TimeRange(row.weekday, row.start, row.end) for row in person.working_hours.all()]


def replace_week(person: StaffMember, week: Iterable[TimeRange]) -> None:
    """Replace the person's weekly hours."""
    after = sorted(week)
    with transaction.atomic():
        _lock_person(person)
        before = week_of(person)
        with changing_hours(person=person.pk):
            person.working_hours.all().delete()
            WorkingHours.objects.bulk_create(
                WorkingHours(staff=person, weekday=time_range.weekday, start=time_range.start, end=time_range.end)
                for time_range in after
            )
        if after != before:
            record(HOURS_CHANGED, person, params={"before": _as_json(before), "after": _as_json(after)})


def upcoming_time_off(person: StaffMember) -> QuerySet[TimeOff]:
    """Return time off that hasn't ended, by start."""
    return person.time_off.filter(ends_at__gt=Now())


def add_time_off(person: StaffMember, *, starts_at: datetime, ends_at: datetime, reason: str) -> TimeOff:
    """Add time off. Raises ValidationError with a sentence if it overlaps other time off."""
    time_off = TimeOff(staff=person, starts_at=starts_at, ends_at=ends_at, reason=reason)
    with transaction.atomic():
        _lock_person(person)
        time_off.full_clean()
        time_off.save()
        record(TIME_OFF_ADDED, person, params=_period_of(time_off))
    return time_off


def remove_time_off(person: StaffMember, pk: int) -> bool:
    """Remove time off of this person. Return False if there is none with this pk."""
    with transaction.atomic():
        _lock_person(person)
        time_off = person.time_off.filter(pk=pk).first()
        if time_off is None:
            return False
        record(TIME_OFF_REMOVED, person, params=_period_of(time_off))
        time_off.delete()
    return True


def time_off_text(time_off: TimeOff, zone: ZoneInfo) -> str:
    """Return the period for people: whole days without times, a single day once."""
    start, end = time_off.starts_at.astimezone(zone), time_off.ends_at.astimezone(zone)
    if start.time() == end.time() == time():
        days = [date_format(start, "D j M Y"), date_format(end - timedelta(days=1), "D j M Y")]
        return " – ".join(dict.fromkeys(days))
    if start.date() == end.date():
        return f"{date_format(start, 'D j M Y, H:i')} – {date_format(end, 'H:i')}"
    return f"{date_format(start, 'D j M Y, H:i')} – {date_format(end, 'D j M Y, H:i')}"


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """Convert a naive local time of `zone` to UTC."""
    return local.replace(tzinfo=zone).astimezone(UTC)


def _as_json(week: Iterable[TimeRange]) -> list[list[Any]]:
    """Return weekday, start and end of each range, such as [0, "09:00", "17:00"]."""
    return [[part.weekday, f"{part.start:%H:%M}", f"{part.end:%H:%M}"] for part in week]


def _period_of(time_off: TimeOff) -> dict[str, str]:
    """Return the period for the audit log. The reason may be private."""
    zone = time_off.staff.zone
    return {"starts_at": time_off.starts_at.isoformat(), "ends_at": time_off.ends_at.isoformat(), "zone": zone.key}


def _lock_person(person: StaffMember) -> None:
    StaffMember.objects.lock(person.pk)
