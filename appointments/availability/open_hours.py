"""Hours in which a staff member can be booked: pure functions of weekly hours, overrides and holidays.

For each date, an override counts before a holiday, and a holiday before the weekly hours in force. An exception rules
its dates from midnight to midnight, in its owner's time zone. Hours of the day before that go on past midnight end
there, unless the same exception holds on both days. Time off isn't known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from appointments.availability.intervals import Interval, intersect, local_datetime, merged
from staff.closings.holiday_dates import closed_dates

_MIDNIGHT: Final = time(0)
_DAY: Final = timedelta(days=1)


class Span(NamedTuple):
    """A part of a day in local time, at a location of a staff member; None is no certain location.

    An end that isn't after the start lies on the next day.
    """

    start: time
    end: time
    place: int | None = None


class Week(NamedTuple):
    """Weekly hours from a date on, None for always, as pairs of a weekday and a span."""

    starts_on: date | None
    spans: tuple[tuple[int, Span], ...]


class DayException(NamedTuple):
    """Other hours on some dates, closed without spans. Without `all_methods`, only appointments in person follow it."""

    first: date
    last: date
    spans: tuple[Span, ...] = ()
    all_methods: bool = True


class HolidayRule(NamedTuple):
    """Public holidays of a region; see `staff.models.HolidayCalendar`."""

    country: str
    region: str
    all_methods: bool = True
    switched_off: frozenset[str] = frozenset()


class Hours(NamedTuple):
    """Everything that decides the hours of a location or a staff member. Weeks are in the order of their start."""

    zone: tzinfo
    weeks: tuple[Week, ...] = ()
    overrides: tuple[DayException, ...] = ()
    holidays: HolidayRule | None = None

    @property
    def is_always_open(self) -> bool:
        return not (self.weeks or self.overrides or self.holidays)


#: A location without hours is open all day.
ALL_DAY: Final = (Span(_MIDNIGHT, _MIDNIGHT),)


@lru_cache(maxsize=2048)
def bookable_intervals(
    person: Hours,
    branches: tuple[tuple[int, Hours], ...],
    first_day: date,
    last_day: date,
    *,
    at: int | None,
    in_person: bool,
) -> list[Interval]:
    """Return when the person can be booked, from the first to the last date of the person's time zone, inclusive.

    An appointment in person takes place at the branch `at`, during hours there or at no certain location. Any other
    appointment takes place during hours at any location, whose weekly hours bind it. On dates of an own override, no
    closing of a branch binds it. `branches` are the hours of all locations concerned. The result is shared between
    staff with the same hours, so nothing may change it.
    """
    by_branch = dict(branches)
    found: list[Interval] = []
    for place, usual, own in _spans_by_place(person, first_day, last_day):
        if in_person and place not in (at, None):
            continue
        branch = by_branch.get(at if in_person else place)  # type: ignore[arg-type]
        if branch is None or branch.is_always_open:
            found += usual + own
        elif in_person:
            found += intersect(merged(usual + own), opening_intervals(branch, first_day, last_day, in_person=True))
        else:
            found += intersect(merged(usual), opening_intervals(branch, first_day, last_day, in_person=False))
            weekly = branch._replace(overrides=(), holidays=None)
            found += intersect(merged(own), opening_intervals(weekly, first_day, last_day, in_person=False))
    return merged(found)


def _spans_by_place(
    person: Hours, first_day: date, last_day: date
) -> Iterator[tuple[int | None, list[Interval], list[Interval]]]:
    """Yield each location of the person's hours with the usual intervals and those of own overrides."""
    usual: dict[int | None, list[Interval]] = {}
    own: dict[int | None, list[Interval]] = {}
    for day in _days(first_day, last_day):
        exception = _exception_on(person, day, in_person=True)
        for span, interval in _intervals_of(person, day, _spans_on(person, day, exception), in_person=True):
            (usual if exception is None else own).setdefault(span.place, []).append(interval)
    for place in usual | own:
        yield place, usual.get(place, []), own.get(place, [])


@lru_cache(maxsize=1024)
def opening_intervals(branch: Hours, first_day: date, last_day: date, *, in_person: bool) -> list[Interval]:
    """Return when a location is open. A day more at both ends covers the dates in any other time zone.

    Nothing may change the result, which is shared.
    """
    found: list[Interval] = []
    for day in _days(first_day - _DAY, last_day + _DAY):
        exception = _exception_on(branch, day, in_person=in_person)
        spans = _spans_on(branch, day, exception)
        if exception is None and not _week_on(branch, day):
            spans = ALL_DAY
        found += [interval for _span, interval in _intervals_of(branch, day, spans, in_person=in_person)]
    return merged(found)


def _intervals_of(
    owner: Hours, day: date, spans: Iterable[Span], *, in_person: bool
) -> Iterator[tuple[Span, Interval]]:
    """Yield the spans that start on a date as intervals, cut at midnight if an exception begins or ends there."""
    for span in spans:
        start = local_datetime(day, span.start, owner.zone)
        if span.end > span.start:
            yield span, (start, local_datetime(day, span.end, owner.zone))
            continue
        is_cut = _is_boundary(owner, day + _DAY, in_person=in_person)
        end = local_datetime(day + _DAY, _MIDNIGHT if is_cut else span.end, owner.zone)
        yield span, (start, end)


def _is_boundary(owner: Hours, day: date, *, in_person: bool) -> bool:
    """Return whether an exception rules this date that doesn't rule the date before."""
    after = _exception_on(owner, day, in_person=in_person)
    return after is not None and after != _exception_on(owner, day - _DAY, in_person=in_person)


def _exception_on(owner: Hours, day: date, *, in_person: bool) -> DayException | None:
    for override in owner.overrides:
        if override.first <= day <= override.last and (in_person or override.all_methods):
            return override
    if (holidays := owner.holidays) and (in_person or holidays.all_methods):
        dates = closed_dates(holidays.country, holidays.region, day.year, holidays.switched_off)
        return DayException(day, day) if day in dates else None
    return None


def _spans_on(owner: Hours, day: date, exception: DayException | None) -> Iterable[Span]:
    if exception is not None:
        return exception.spans
    return [span for weekday, span in _week_on(owner, day) if weekday == day.weekday()]


def _week_on(owner: Hours, day: date) -> tuple[tuple[int, Span], ...]:
    for week in reversed(owner.weeks):
        if week.starts_on is None or week.starts_on <= day:
            return week.spans
    return ()


def _days(first_day: date, last_day: date) -> Iterator[date]:
    return (first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1))
