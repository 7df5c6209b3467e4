"""Earliest free slots with any of several staff members, day by day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from appointments.availability.any_staff import AnyStaffSearch
from appointments.availability.slots import free_slots
from appointments.availability.staff_pool import StaffPool
from appointments.models import Appointment
from services.models import MeetingMethod, Service
from staff.models import Location, StaffMember

DAYS_SHOWN = 4
#: Times shown for each day after the first, which shows all of its times.
TIMES_SHOWN = 8
# Days covered by each search until enough days are found. The last search covers the service's horizon.
_SEARCH_DAYS = (7, 28)
# Of many people, no other day is searched after as many times.
_ENOUGH_TIMES = 12


@dataclass(frozen=True)
class FreeTime:
    """A start in UTC, and the free staff member with the least booked time that day."""

    starts_at: datetime
    member: StaffMember

    @property
    def value(self) -> int:
        """The start as unix seconds."""
        return int(self.starts_at.timestamp())


@dataclass(frozen=True)
class FreeDay:
    """A day in the requested zone. `left_off` is the number of times that aren't shown."""

    date: date
    times: list[FreeTime]
    left_off: int = 0


@dataclass(frozen=True)
class FirstSlots:
    """Days with free times. `later` is the first day of the next page, None if no more are known."""

    days: list[FreeDay]
    later: date | None = None


def find_first_slots(
    service: Service,
    people: StaffPool | Sequence[StaffMember],
    day: date,
    zone: ZoneInfo,
    *,
    method: int = MeetingMethod.AT_LOCATION,
    location: Location | None = None,
) -> FirstSlots:
    """Return the first days, from `day` in the zone on, with times at which any of the people can start the service.

    The number of queries doesn't grow with the people. Of many people, fewer days are shown: each has many times.
    """
    pool = StaffPool.of(people)
    if not pool.is_small:
        return _first_slots_of_many(service, pool, day, zone, method, location)
    people = pool.load_all()
    start = max(datetime.combine(day, time(0), zone), timezone.now())
    ends = [start + timedelta(days=days) for days in _SEARCH_DAYS]
    last = max(ends[-1], timezone.now() + timedelta(days=service.booking_horizon_days))
    for end in [*ends, last]:
        by_day = _starts_by_day(_free_staff(service, people, start, end, method, location), zone)
        if len(by_day) > DAYS_SHOWN or end >= last:
            break
    shown = dict(sorted(by_day.items())[:DAYS_SHOWN])
    busy = _booked_seconds(people, shown, zone)
    days = [_day_of(each, starts, busy, whole=not number) for number, (each, starts) in enumerate(shown.items())]
    return FirstSlots(days, max(shown) + timedelta(days=1) if len(by_day) > len(shown) else None)


def _first_slots_of_many(
    service: Service, pool: StaffPool, day: date, zone: ZoneInfo, method: int, location: Location | None
) -> FirstSlots:
    search = AnyStaffSearch(service, pool, zone, method=method, location=location)
    day = max(day, search.now.astimezone(zone).date())
    last_day = max(day, (search.now + timedelta(days=service.booking_horizon_days)).astimezone(zone).date())
    days: list[FreeDay] = []
    while day <= last_day and len(days) < DAYS_SHOWN and sum(len(each.times) for each in days) < _ENOUGH_TIMES:
        if found := search.starts_on(day):
            shown = list(found.items())[: None if not days else TIMES_SHOWN]
            times = [FreeTime(datetime.fromtimestamp(moment, UTC), member) for moment, member in shown]
            days.append(FreeDay(day, times, len(found) - len(times)))
        day += timedelta(days=1)
    return FirstSlots(days, day if day <= last_day else None)


def _free_staff(
    service: Service,
    people: Sequence[StaffMember],
    start: datetime,
    end: datetime,
    method: int,
    location: Location | None,
) -> dict[int, list[StaffMember]]:
    """Return the free staff members by start in unix seconds."""
    found = free_slots(service, people, start, end, method=method, location=location)
    by_moment: dict[int, list[StaffMember]] = defaultdict(list)
    for member in people:
        for moment in found[member.pk]:
            by_moment[moment].append(member)
    return by_moment


def _starts_by_day(free: Mapping[int, list[StaffMember]], zone: ZoneInfo) -> dict[date, dict[int, list[StaffMember]]]:
    days: dict[date, dict[int, list[StaffMember]]] = defaultdict(dict)
    for moment in sorted(free):
        days[datetime.fromtimestamp(moment, zone).date()][moment] = free[moment]
    return days


def _booked_seconds(
    people: Sequence[StaffMember], days: Mapping[date, object], zone: ZoneInfo
) -> Counter[tuple[int, date]]:
    """Return the booked seconds, buffers included, by staff pk and day."""
    if not days:
        return Counter()
    booked = Appointment.objects.busy().filter(
        staff__in=people,
        starts_at__gte=datetime.combine(min(days), time(0), zone),
        starts_at__lt=datetime.combine(max(days) + timedelta(days=1), time(0), zone),
    )
    work: Counter[tuple[int, date]] = Counter()
    for staff, start, end in booked.order_by().values_list("staff", "busy_from", "busy_to"):
        work[staff, start.astimezone(zone).date()] += int((end - start).total_seconds())
    return work


def _day_of(
    day: date, free: Mapping[int, list[StaffMember]], busy: Counter[tuple[int, date]], *, whole: bool
) -> FreeDay:
    moments = list(free) if whole else list(free)[:TIMES_SHOWN]
    times = [
        FreeTime(
            datetime.fromtimestamp(moment, UTC),
            min(free[moment], key=lambda member: (busy[member.pk, day], member.pk)),
        )
        for moment in moments
    ]
    return FreeDay(day, times, len(free) - len(times))
