"""Calendar month with the free times of each day, as a page shows it."""

from __future__ import annotations

from calendar import Calendar
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from appointments.availability.slots import free_slots, next_free_of_any_staff
from services.models import MeetingMethod, Service
from staff.models import Location, StaffMember


@dataclass(frozen=True)
class Start:
    """A free time. `value` is in unix seconds."""

    value: int
    at: datetime


@dataclass(frozen=True)
class Day:
    """A day of the month view; `is_outside` if it belongs to the previous or next month."""

    date: date
    times: int
    is_outside: bool
    is_chosen: bool


@dataclass(frozen=True)
class Month:
    """A month in a time zone. `first_free` is the next free time of all, None if there is none."""

    first: date
    weeks: list[list[Day]]
    day: date | None
    starts: list[Start]
    first_free: datetime | None
    before: date | None = None
    after: date | None = None
    weekdays: list[date] = field(default_factory=list)


def month_with_times(
    service: Service,
    people: Sequence[StaffMember],
    zone: ZoneInfo,
    *,
    month: date | None = None,
    day: date | None = None,
    method: int = MeetingMethod.AT_LOCATION,
    location: Location | None = None,
) -> Month:
    """Return the requested month, or else that of `day` or of the next free time, with the times of one day.

    If `day` has no free times, the first free day of the month is chosen.
    """
    now = timezone.now()
    today = now.astimezone(zone).date()
    found = next_free_of_any_staff(service, people, now, 1, for_clients=True, method=method, location=location)
    first_free = found[0] if found else None
    start = month or day or (first_free or now).astimezone(zone).date()
    first = start.replace(day=1)
    by_day = _times_by_day(service, people, first, zone, method, location)
    chosen = day if day in by_day else min(by_day, default=None)
    last_day = (now + timedelta(days=service.booking_horizon_days)).astimezone(zone).date()
    after = (first + timedelta(days=32)).replace(day=1)
    sheet = Calendar(service.organization.first_weekday).monthdatescalendar(first.year, first.month)
    return Month(
        first=first,
        # Past weeks of the current month are left out.
        weeks=[[_day(each, by_day, first, chosen) for each in week] for week in sheet if week[-1] >= today],
        day=chosen,
        starts=[Start(slot, datetime.fromtimestamp(slot, UTC)) for slot in (by_day[chosen] if chosen else [])],
        first_free=first_free,
        before=(first - timedelta(days=1)).replace(day=1) if first > today else None,
        after=after if after <= last_day else None,
        weekdays=sheet[0],
    )


def _times_by_day(
    service: Service,
    people: Sequence[StaffMember],
    first: date,
    zone: ZoneInfo,
    method: int,
    location: Location | None,
) -> dict[date, list[int]]:
    start = datetime.combine(first, time(0), zone)
    end = datetime.combine((first + timedelta(days=32)).replace(day=1), time(0), zone)
    slots = free_slots(service, people, start, end, for_clients=True, method=method, location=location)
    days: dict[date, list[int]] = defaultdict(list)
    for slot in sorted(set().union(*slots.values())):
        days[datetime.fromtimestamp(slot, zone).date()].append(slot)
    return dict(days)


def _day(day: date, by_day: Mapping[date, list[int]], first: date, chosen: date | None) -> Day:
    return Day(day, len(by_day.get(day, [])), day.month != first.month, day == chosen)
