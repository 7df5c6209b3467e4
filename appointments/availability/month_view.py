"""Calendar month with the free times of each day, as a page shows it."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from appointments.availability.any_staff import AnyStaffSearch
from appointments.availability.staff_pool import StaffPool
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
    has_times: bool
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
    people: StaffPool | Sequence[StaffMember],
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
    pool = StaffPool.of(people)
    search = AnyStaffSearch(service, pool, zone, for_clients=True, method=method, location=location, now=now)
    first_free = next((datetime.fromtimestamp(slot, UTC) for slot in search.next_starts(now)), None)
    start = month or day or (first_free or now).astimezone(zone).date()
    first = start.replace(day=1)
    days = search.some_starts_by_day(first, _last_day(first)) if first_free else {}
    chosen = day if day in days else min(days, default=None)
    starts: Iterable[int] = ()
    if chosen:
        starts = days[chosen] if pool.is_small else search.starts_on(chosen)
    last_day = (now + timedelta(days=service.booking_horizon_days)).astimezone(zone).date()
    after = _last_day(first) + timedelta(days=1)
    sheet = Calendar(service.organization.first_weekday).monthdatescalendar(first.year, first.month)
    return Month(
        first=first,
        # Past weeks of the current month are left out.
        weeks=[[_day(each, days, first, chosen) for each in week] for week in sheet if week[-1] >= today],
        day=chosen,
        starts=[Start(slot, datetime.fromtimestamp(slot, UTC)) for slot in starts],
        first_free=first_free,
        before=(first - timedelta(days=1)).replace(day=1) if first > today else None,
        after=after if after <= last_day else None,
        weekdays=sheet[0],
    )


def _last_day(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _day(day: date, days: Collection[date], first: date, chosen: date | None) -> Day:
    return Day(day, day in days, day.month != first.month, day == chosen)
