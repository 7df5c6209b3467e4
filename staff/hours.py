"""Working hours and time off of a staff member.

Edits lock the staff row, as bookings do, so that neither relies on what the other is changing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.formats import date_format

from staff.audit_log.kinds import HOURS_CHANGED, TIME_OFF_ADDED, TIME_OFF_REMOVED
from staff.audit_log.record import record
from staff.clock import format_time
from staff.hooks import changing_hours
from staff.models import StaffMember, TimeOff, WorkingHours


@dataclass(frozen=True)
class TimeRange:
    """Hours without a break, in the owner's time zone. Weekdays count as `date.weekday()` does.

    An end that isn't after the start lies on the next day. `location` is the pk of the location where a staff member
    works these hours; None is the home branch.
    """

    weekday: int
    start: time
    end: time
    location: int | None = None

    @property
    def minutes(self) -> tuple[int, int]:
        """Return start and end in minutes since Monday 0:00."""
        start, end = (self.weekday * 1440 + at.hour * 60 + at.minute for at in (self.start, self.end))
        return start, end + (1440 if self.end <= self.start else 0)


def week_of(person: StaffMember, day: date | None = None) -> list[TimeRange]:
    """Return the person's weekly hours in force on a day, or today, Monday first."""
    day = day or timezone.localdate(timezone=person.zone)
    rows = [row for row in person.working_hours.all() if row.starts_on is None or row.starts_on <= day]
    latest = max((row.starts_on or date.min for row in rows), default=None)
    return [_time_range(row) for row in rows if (row.starts_on or date.min) == latest]


def replace_week(person: StaffMember, week: Iterable[TimeRange]) -> None:
    """Replace the weekly hours in force today. Those that start on a later day stay."""
    after = sorted_week(week)
    with transaction.atomic():
        _lock_person(person)
        before = week_of(person)
        today = timezone.localdate(timezone=person.zone)
        with changing_hours(person=person.pk):
            person.working_hours.filter(Q(starts_on=None) | Q(starts_on__lte=today)).delete()
            add_working_hours(person, after)
        if after != before:
            record(HOURS_CHANGED, person, params={"before": week_as_json(before), "after": week_as_json(after)})


def add_working_hours(person: StaffMember, week: Iterable[TimeRange], starts_on: date | None = None) -> None:
    """Add rows of weekly hours, without a lock and a record."""
    WorkingHours.objects.bulk_create(
        WorkingHours(
            staff=person,
            weekday=part.weekday,
            start=part.start,
            end=part.end,
            location_id=part.location,
            starts_on=starts_on,
        )
        for part in week
    )


def sorted_week(week: Iterable[TimeRange]) -> list[TimeRange]:
    """Return the hours from Monday on."""
    return sorted(week, key=lambda part: (part.weekday, part.start))


def _time_range(row: WorkingHours) -> TimeRange:
    return TimeRange(row.weekday, row.start, row.end, row.location_id)


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
        return f"{_day_and_time(start)} – {format_time(end)}"
    return f"{_day_and_time(start)} – {_day_and_time(end)}"


def _day_and_time(local: datetime) -> str:
    return f"{date_format(local, 'D j M Y')}, {format_time(local)}"


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """Convert a naive local time of `zone` to UTC."""
    return local.replace(tzinfo=zone).astimezone(UTC)


def week_as_json(week: Iterable[TimeRange]) -> list[list[Any]]:
    """Return weekday, start and end of each range, such as [0, "09:00", "17:00"]."""
    return [[part.weekday, f"{part.start:%H:%M}", f"{part.end:%H:%M}"] for part in week]


def _period_of(time_off: TimeOff) -> dict[str, str]:
    """Return the period for the audit log. The reason may be private."""
    zone = time_off.staff.zone
    return {"starts_at": time_off.starts_at.isoformat(), "ends_at": time_off.ends_at.isoformat(), "zone": zone.key}


def _lock_person(person: StaffMember) -> None:
    StaffMember.objects.lock(person.pk)
