"""Times in which at least one of many staff members may work: an upper bound that is found without their calendars.

It lets a search stop as soon as no other person can add a free time.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from appointments.availability.intervals import Interval, local_datetime, merged
from appointments.availability.staff_pool import StaffPool
from staff.models import Organization, OverrideHours, StaffMember, WorkingHours

_DAY = timedelta(days=1)


class _Span(NamedTuple):
    """Hours of a weekday, or of the days of an override, in local time."""

    start: time
    end: time
    first_day: date | None = None
    last_day: date | None = None

    def interval(self, day: date, zone: ZoneInfo) -> Interval:
        until = day if self.end > self.start else day + _DAY
        return local_datetime(day, self.start, zone), local_datetime(until, self.end, zone)

    def is_in_force(self, day: date) -> bool:
        return (self.first_day is None or self.first_day <= day) and (self.last_day is None or day <= self.last_day)


class WidestHours:
    """Weekly hours and overrides of all these people, as if each were in each of their time zones. Takes three queries.

    Exceptions that take hours away are left out, as are branches. Overrides are those that end on `since` or later.
    """

    def __init__(self, people: StaffPool, organization: Organization, *, since: date) -> None:
        self.zones = _zones_of(people, organization)
        weekly = WorkingHours.objects.filter(people.owning("staff")).order_by()
        self._weekly: defaultdict[int, list[_Span]] = defaultdict(list)
        rows = weekly.values_list("weekday", "start", "end", "starts_on").distinct()
        for weekday, start, end, starts_on in rows:
            self._weekly[weekday].append(_Span(start, end, starts_on))
        other = OverrideHours.objects.filter(
            people.owning("override__staff"),
            override__last_day__gte=since,
        ).order_by()
        columns = ("start", "end", "override__first_day", "override__last_day")
        self._other = [_Span(*span) for span in other.values_list(*columns).distinct()]

    @property
    def has_exceptions(self) -> bool:
        """Return whether any of the people has other hours on some dates, which closings may not bind."""
        return bool(self._other)

    def around(self, day: date) -> list[Interval]:
        """Return the hours that begin on this date or on the dates beside it, as unix seconds."""
        days = (day - _DAY, day, day + _DAY)
        return merged(
            span.interval(each, zone)
            for each in days
            for zone in self.zones
            for span in [*self._weekly[each.weekday()], *self._other]
            if span.is_in_force(each)
        )


def _zones_of(people: StaffPool, organization: Organization) -> set[ZoneInfo]:
    rows = StaffMember.objects.filter(people.owning("pk")).order_by()
    found: set[ZoneInfo] = set()
    for own, of_location in rows.values_list("time_zone", "location__time_zone").distinct():
        found.add(own or of_location or organization.time_zone or ZoneInfo("UTC"))
    return found
