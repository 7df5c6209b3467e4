"""Free starts with anyone among many staff members, found without reading all of their calendars.

The people with the least booked time come first, in portions that grow. The search of a day ends once no start is left
at which only the others could be free.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, reduce
from itertools import count
from operator import or_
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import DurationField, Exists, F, Func, IntegerField, OuterRef, Q, Sum
from django.db.models.functions import Coalesce, Greatest, Least

from appointments.availability.calendars import Durations, load_opening
from appointments.availability.intervals import DAY_SECONDS, Interval, intersect, local_datetime
from appointments.availability.slots import earliest_start, free_slots, latest_start
from appointments.availability.staff_pool import StaffPool
from appointments.availability.start_times import start_times
from appointments.availability.widest_hours import WidestHours
from appointments.models import LONGEST_BUSY_TIME, Appointment
from coconut.database.any_of import AnyOf
from services.models import MeetingMethod, Service
from staff.models import Location, StaffMember

_FIRST_PORTION: Final = 10
_GROWTH: Final = 4
# Portions that are read before a look at who could have time at the starts that are left.
_PORTIONS_AT_ONCE: Final = 2
_FULL: Final = -1
# What one query for the next starts of a few people covers.
_STEP_SECONDS: Final = 14 * DAY_SECONDS


@dataclass(frozen=True)
class AnyStaffSearch:
    """Search for free starts of a service with any member of a pool, on days of a zone.

    See `free_slots` for the other fields.
    """

    service: Service
    pool: StaffPool
    zone: ZoneInfo
    for_clients: bool = False
    method: int = MeetingMethod.AT_LOCATION
    location: Location | None = None
    durations: Durations | None = None
    ignoring: Appointment | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    _found: dict[date, dict[int, StaffMember]] = field(default_factory=dict)

    def starts_on(self, day: date, *, one_is_enough: bool = False) -> dict[int, StaffMember]:
        """Return the free starts of a day, in ascending unix seconds, with the least booked of the free people.

        With `one_is_enough`, return only some of them, or none if there are none.
        """
        if day not in self._found:
            found = self._find(day, one_is_enough=one_is_enough)
            if one_is_enough:
                return found
            self._found[day] = found
        return self._found[day]

    def next_starts(self, after: datetime) -> Iterator[int]:
        """Yield the free starts from a moment on, in ascending unix seconds, up to the service's horizon."""
        start = max(int(after.timestamp()), int(self.now.timestamp()))
        latest = latest_start(self.service, self.now, for_clients=True)
        if self.pool.is_small:
            while start <= latest and self.pool:
                until = min(start + _STEP_SECONDS, latest + 1)
                yield from sorted(self._starts_of_few(start, until))
                start = until
            return
        for day in _days(*(datetime.fromtimestamp(moment, self.zone).date() for moment in (start, latest))):
            yield from (slot for slot in self.starts_on(day) if start <= slot <= latest)

    def portions_on(self, day: date) -> Iterator[list[StaffMember]]:
        """Yield all people in growing portions, those with the least booked time that day first."""
        first = self._least_booked(day, self._hours_on(day))
        known = {*first}
        left = [*first, *(pk for pk in self.pool.pks if pk not in known)]
        for size in _sizes():
            if not left:
                return
            people, left = self.pool.load(left[:size]), left[size:]
            yield people

    def starts_between(self, first_day: date, last_day: date) -> list[int]:
        """Return the free starts of some days, in ascending unix seconds. Few people are enough on most days."""
        if first_day == last_day and not self.pool.is_small:
            return [*self.starts_on(first_day)]
        found = self._starts_of_few(*self._limits_of(first_day, last_day))
        for day in _days(first_day, last_day) if not self.pool.is_small else ():
            if not self._starts_in(self._hours_on(day), day) <= found:
                found |= self.starts_on(day).keys()
        return sorted(found)

    def some_starts_by_day(self, first_day: date, last_day: date) -> dict[date, list[int]]:
        """Return free starts of each of these days that has some, but not all of them unless the pool is small."""
        by_day: dict[date, list[int]] = defaultdict(list)
        for start in sorted(self._starts_of_few(*self._limits_of(first_day, last_day))):
            by_day[datetime.fromtimestamp(start, self.zone).date()].append(start)
        for day in _days(first_day, last_day) if not self.pool.is_small else ():
            if day not in by_day and (starts := self.starts_on(day, one_is_enough=True)):
                by_day[day] = [*starts]
        return dict(by_day)

    def _starts_of_few(self, start: int, end: int) -> set[int]:
        """Return the free starts in [start, end) of a few people, which are all if the pool is small."""
        people = self.pool.load_all() if self.pool.is_small else self.pool.spread()
        first, last = (datetime.fromtimestamp(moment, UTC) for moment in (start, end))
        return set().union(*free_slots(self.service, people, first, last, **self._rules).values())

    def _find(self, day: date, *, one_is_enough: bool) -> dict[int, StaffMember]:
        found: dict[int, StaffMember] = {}
        hours = self._hours_on(day)
        left = self._least_booked(day, hours) if hours else []
        for number, size in enumerate(_sizes() if left else (), 1):
            people, left = self.pool.load(left[:size]), left[size:]
            start, end = (datetime.fromtimestamp(moment, UTC) for moment in self._limits_of(day))
            slots = free_slots(self.service, people, start, end, **self._rules)
            for member in people:
                for slot in slots[member.pk]:
                    found.setdefault(slot, member)
            if not left or (found and one_is_enough):
                break
            if number == _PORTIONS_AT_ONCE:
                hours = intersect(hours, self._opening_on(day))
                left = self._free_at_one_of(self._starts_in(hours, day) - found.keys(), left)
            if self._starts_in(hours, day) <= found.keys():
                break
        return dict(sorted(found.items()))

    def _limits_of(self, first_day: date, last_day: date | None = None) -> tuple[int, int]:
        """Return the start of the first day and the end of the last one, in unix seconds."""
        after = (last_day or first_day) + timedelta(days=1)
        return local_datetime(first_day, time(0), self.zone), local_datetime(after, time(0), self.zone)

    @cached_property
    def _rules(self) -> dict[str, Any]:
        return {
            "for_clients": self.for_clients,
            "method": self.method,
            "location": self.location,
            "durations": self.durations,
            "ignoring": self.ignoring,
            "now": self.now,
        }

    @cached_property
    def _widest_hours(self) -> WidestHours:
        return WidestHours(self.pool, self.service.organization, since=self.now.date() - timedelta(days=1))

    @cached_property
    def _needed(self) -> Durations:
        return self.durations or Durations.of_service(self.service)

    def _hours_on(self, day: date) -> list[Interval]:
        """Return hours in which an appointment that starts on this day may take place with at least one person."""
        start, end = self._limits_of(day)
        start = max(start, earliest_start(self.service, self.now, for_clients=self.for_clients))
        end = min(end, latest_start(self.service, self.now, for_clients=self.for_clients) + 1)
        return intersect(self._widest_hours.around(day), [(start, end + self._needed.duration)]) if start < end else []

    def _opening_on(self, day: date) -> list[Interval]:
        """Return when at least one location of the people is open."""
        in_person = self.method == MeetingMethod.AT_LOCATION
        locations = {self.location.pk} if self.location else self.pool.places
        if (in_person and None in locations) or self._widest_hours.has_exceptions:
            return self._hours_on(day)
        places = self.service.organization.locations.all()
        if in_person:
            places = places.filter(pk__in=[pk for pk in locations if pk is not None])
        zones = dict(places.order_by().values_list("pk", "time_zone"))
        return load_opening(zones, day - timedelta(days=1), day + timedelta(days=1), in_person=in_person)

    def _starts_in(self, hours: list[Interval], day: date) -> set[int]:
        """Return the starts of the day at which a person might be free."""
        zones = {self.location.time_zone} if self.location else self._widest_hours.zones
        start, end = self._limits_of(day)
        free = self._needed.starts_within(hours)
        found = (moment for zone in zones for moment in start_times(free, self.service, zone))
        return {moment for moment in found if start <= moment < end}

    def _least_booked(self, day: date, hours: list[Interval]) -> list[int]:
        """Return the people who may have time in these hours, those with the least booked time first."""
        start, end = (datetime.fromtimestamp(moment, UTC) for moment in self._limits_of(day))
        # Appointments that start the day before are left out, so that no person appears busier than they are.
        starting = Appointment.objects.busy().filter(self.pool.owning("staff"), busy_from__gte=start, busy_from__lt=end)
        if self.ignoring is not None:
            starting = starting.exclude(pk=self.ignoring.pk)
        few = hours if len(hours) <= 3 else [(hours[0][0], hours[-1][1])]
        if not few:
            return []
        parts = {f"in_{number}": _booked_seconds(each) for number, each in enumerate(few)}
        most = [closes - opens - self._needed.duration for opens, closes in few]
        booked: dict[int, int] = {}
        for staff, *seconds in starting.order_by().values_list("staff").annotate(**parts):
            fits = any(each <= limit for each, limit in zip(seconds, most, strict=True))
            booked[staff] = sum(seconds) if fits else _FULL
        left = [pk for pk in self.pool.pks if booked.get(pk) != _FULL]
        return sorted(left, key=lambda pk: (booked.get(pk, 0), pk))

    def _free_at_one_of(self, starts: set[int], people: list[int]) -> list[int]:
        """Return the people whose time isn't booked at one of these starts, in the same order."""
        if not starts:
            return []
        needed = self._needed
        is_free = reduce(
            or_,
            (
                ~self._booked_during(start - needed.before, start + needed.duration + needed.after)
                for start in sorted(starts)
            ),
        )
        found = set(
            StaffMember.objects.filter(AnyOf(F("pk"), people)).filter(is_free).order_by().values_list("pk", flat=True)
        )
        return [pk for pk in people if pk in found]

    def _booked_during(self, start: int, end: int) -> Q:
        first, last = (datetime.fromtimestamp(moment, UTC) for moment in (start, end))
        booked = Appointment.objects.busy().filter(
            staff=OuterRef("pk"), busy_from__gt=first - LONGEST_BUSY_TIME, busy_from__lt=last, busy_to__gt=first
        )
        if self.ignoring is not None:
            booked = booked.exclude(pk=self.ignoring.pk)
        return Q(Exists(booked))


def _sizes() -> Iterator[int]:
    """Yield the sizes of the portions."""
    return (_FIRST_PORTION * _GROWTH**number for number in count())


def _booked_seconds(interval: Interval) -> Coalesce:
    """Return the expression for the booked seconds of an interval."""
    opens, closes = (datetime.fromtimestamp(moment, UTC) for moment in interval)
    part = Least(F("busy_to"), closes) - Greatest(F("busy_from"), opens)
    booked = Sum(part, filter=Q(busy_from__lt=closes, busy_to__gt=opens), output_field=DurationField())
    seconds = Func(booked, template="EXTRACT(EPOCH FROM %(expressions)s)::integer", output_field=IntegerField())
    return Coalesce(seconds, 0)


def _days(first_day: date, last_day: date) -> Iterator[date]:
    return (first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1))
