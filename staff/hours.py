"""When somebody works: the hours of the week, and time off.

Bookings and these edits take the same lock on the staff row, so that neither is decided on what the other
is just changing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.formats import date_format

from staff.models import StaffMember, TimeOff, WorkingHours


@dataclass(frozen=True, order=True)
class TimeRange:
    """Work without a pause, on a weekday as `date.weekday()` counts, in the person's own zone."""

    weekday: int
    start: time
    end: time


def week_of(person: StaffMember) -> list[TimeRange]:
    """The person's week, Monday first."""
    return [TimeRange(row.weekday, row.start, row.end) for row in person.working_hours.all()]


def replace_week(person: StaffMember, week: Iterable[TimeRange]) -> None:
    """Make these the hours of the person's week, instead of what was there."""
    with transaction.atomic():
        _lock(person)
        person.working_hours.all().delete()
        WorkingHours.objects.bulk_create(
            WorkingHours(staff=person, weekday=stretch.weekday, start=stretch.start, end=stretch.end)
            for stretch in sorted(week)
        )


def coming_time_off(person: StaffMember) -> QuerySet[TimeOff]:
    """Time off that is not over, soonest first."""
    return person.time_off.filter(ends_at__gt=Now())


def add_time_off(person: StaffMember, *, starts_at: datetime, ends_at: datetime, reason: str) -> TimeOff:
    """Note time off. Raises ValidationError with a sentence when it overlaps other time off."""
    time_off = TimeOff(staff=person, starts_at=starts_at, ends_at=ends_at, reason=reason)
    with transaction.atomic():
        _lock(person)
        time_off.full_clean()
        time_off.save()
    return time_off


def remove_time_off(person: StaffMember, pk: int) -> bool:
    """Take time off back; False when it was gone already, or is somebody else's."""
    with transaction.atomic():
        _lock(person)
        removed, _rows = person.time_off.filter(pk=pk).delete()
    return removed > 0


def in_words(time_off: TimeOff, zone: ZoneInfo) -> str:
    """The time off as people say it: whole days without times, and one day once."""
    start, end = time_off.starts_at.astimezone(zone), time_off.ends_at.astimezone(zone)
    if start.time() == end.time() == time():
        days = [date_format(start, "D j M Y"), date_format(end - timedelta(days=1), "D j M Y")]
        return " – ".join(dict.fromkeys(days))
    if start.date() == end.date():
        return f"{date_format(start, 'D j M Y, H:i')} – {date_format(end, 'H:i')}"
    return f"{date_format(start, 'D j M Y, H:i')} – {date_format(end, 'D j M Y, H:i')}"


def as_instant(moment: datetime, zone: ZoneInfo) -> datetime:
    """A wall-clock time of `zone` as a moment in UTC, in which moments can be compared."""
    return moment.replace(tzinfo=zone).astimezone(UTC)


def _lock(person: StaffMember) -> None:
    StaffMember.objects.lock(person.pk)
