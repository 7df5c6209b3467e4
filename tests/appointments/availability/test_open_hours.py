from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appointments.availability.intervals import Interval, contains, local_datetime
from appointments.availability.open_hours import DayException, HolidayRule, Hours, Span, Week, bookable_intervals

GREENWICH = ZoneInfo("UTC")
TORONTO = ZoneInfo("America/Toronto")
# Clocks in Toronto jump from 02:00 to 03:00 and come back to 01:00 twice.
SPRING, AUTUMN = date(2027, 3, 14), date(2026, 11, 1)
MONDAY, TUESDAY = date(2026, 11, 30), date(2026, 12, 1)
CHRISTMAS = date(2026, 12, 25)
HOME, OTHER = 1, 2
ONTARIO = HolidayRule("CA", "ON")


def utc(day: date, hour: int, minute: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC).timestamp())


def every_day(*spans: Span, starts_on: date | None = None) -> Week:
    return Week(starts_on, tuple((weekday, span) for weekday in range(7) for span in spans))


def span(start: int, end: int, place: int | None = HOME) -> Span:
    return Span(time(start), time(end), place)


def hours(*weeks: Week, zone: ZoneInfo = GREENWICH, **rest: Any) -> Hours:
    return Hours(zone, weeks, **rest)


NINE_TO_FIVE = hours(every_day(span(9, 17)))


def bookable(
    person: Hours, branch: Hours | None = None, day: date = MONDAY, *, in_person: bool = True, at: int | None = HOME
) -> list[Interval]:
    branches = {HOME: branch, OTHER: Hours(ZoneInfo("UTC"))}
    known = tuple((pk, each) for pk, each in branches.items() if each is not None)
    return bookable_intervals(person, known, day, day, at=at, in_person=in_person)


def from_to(start: int, end: int, day: date = MONDAY) -> list[Interval]:
    return [(utc(day, start), utc(day, end))]


def closed(day: date, **scope: Any) -> tuple[DayException, ...]:
    return (DayException(day, day, (), **scope),)


def open_from_to(day: date, start: int, end: int, place: int | None = HOME) -> tuple[DayException, ...]:
    return (DayException(day, day, (span(start, end, place),)),)


# --- Weekly hours ------------------------------------------------------------------------------------------
def test_weekly_hours_lie_on_their_weekday_in_their_zone() -> None:
    sam = hours(Week(None, ((0, span(9, 12)), (0, span(13, 17)))), zone=TORONTO)

    found = bookable_intervals(sam, (), MONDAY, date(2026, 12, 6), at=HOME, in_person=True)

    assert found == [(utc(MONDAY, 14), utc(MONDAY, 17)), (utc(MONDAY, 18), utc(MONDAY, 22))]


def test_hours_until_midnight_join_those_of_the_next_day() -> None:
    sam = hours(Week(None, ((0, span(22, 0)), (1, span(0, 2)))))

    found = bookable_intervals(sam, (), MONDAY, TUESDAY, at=HOME, in_person=True)

    assert found == [(utc(MONDAY, 22), utc(TUESDAY, 2))]


def test_hours_across_midnight_end_on_the_next_day() -> None:
    assert bookable(hours(every_day(span(22, 2)))) == [(utc(MONDAY, 22), utc(TUESDAY, 2))]


def test_hours_from_midnight_to_midnight_are_the_whole_day() -> None:
    assert bookable(hours(every_day(span(0, 0)))) == [(utc(MONDAY, 0), utc(TUESDAY, 0))]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        # 02:00 to 03:00 does not exist: both mean 07:00 UTC.
        (time(1), time(4), [(utc(SPRING, 6), utc(SPRING, 8))]),
        (time(2, 30), time(4), [(utc(SPRING, 7), utc(SPRING, 8))]),
        (time(1), time(2, 30), [(utc(SPRING, 6), utc(SPRING, 7))]),
        (time(2, 15), time(2, 45), []),
        (time(9), time(17), [(utc(SPRING, 13), utc(SPRING, 21))]),
    ],
)
def test_hours_that_touch_the_hour_skipped_in_spring_end_or_begin_at_the_jump(
    start: time, end: time, expected: list[Interval]
) -> None:
    assert bookable(hours(every_day(Span(start, end, HOME)), zone=TORONTO), day=SPRING) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        # 01:00 to 02:00 occurs twice, first as 05:00 and then as 06:00 UTC.
        (time(0), time(3), (utc(AUTUMN, 4), utc(AUTUMN, 8))),
        (time(1, 30), time(3), (utc(AUTUMN, 5, 30), utc(AUTUMN, 8))),
        (time(0), time(1, 30), (utc(AUTUMN, 4), utc(AUTUMN, 5, 30))),
        (time(9), time(17), (utc(AUTUMN, 14), utc(AUTUMN, 22))),
    ],
)
def test_a_time_repeated_in_autumn_is_its_first_occurrence(start: time, end: time, expected: Interval) -> None:
    assert bookable(hours(every_day(Span(start, end, HOME)), zone=TORONTO), day=AUTUMN) == [expected]


def test_a_later_week_replaces_the_earlier_one_from_its_start_on() -> None:
    sam = hours(every_day(span(9, 17)), every_day(span(12, 20), starts_on=TUESDAY))

    assert bookable(sam, day=MONDAY) == from_to(9, 17)
    assert bookable(sam, day=TUESDAY) == from_to(12, 20, TUESDAY)


def test_a_branch_without_hours_is_open_until_its_first_week_starts() -> None:
    branch = hours(every_day(span(10, 12), starts_on=TUESDAY))

    assert bookable(NINE_TO_FIVE, branch, MONDAY) == from_to(9, 17)
    assert bookable(NINE_TO_FIVE, branch, TUESDAY) == from_to(10, 12, TUESDAY)


# --- Closings of a branch ----------------------------------------------------------------------------------
@pytest.mark.parametrize("in_person", [True, False])
def test_weekly_hours_of_a_branch_bind_every_method(in_person: bool) -> None:
    branch = hours(every_day(span(10, 12)))

    assert bookable(NINE_TO_FIVE, branch, in_person=in_person) == from_to(10, 12)


def test_a_closing_stops_only_appointments_in_person() -> None:
    branch = hours(every_day(span(10, 16)), overrides=closed(MONDAY, all_methods=False))

    assert bookable(NINE_TO_FIVE, branch) == []
    assert bookable(NINE_TO_FIVE, branch, in_person=False) == from_to(10, 16)


def test_a_closing_of_all_methods_stops_calls_too() -> None:
    branch = hours(overrides=closed(MONDAY))

    assert bookable(NINE_TO_FIVE, branch, in_person=False) == []


def test_a_holiday_closes_the_branch() -> None:
    assert bookable(NINE_TO_FIVE, hours(holidays=ONTARIO), CHRISTMAS) == []


def test_a_holiday_that_is_switched_off_changes_nothing() -> None:
    ontario = ONTARIO._replace(switched_off=frozenset({"Christmas Day"}))

    assert bookable(NINE_TO_FIVE, hours(holidays=ontario), CHRISTMAS) == from_to(9, 17, CHRISTMAS)


def test_other_hours_of_a_branch_count_before_a_holiday() -> None:
    branch = hours(overrides=open_from_to(CHRISTMAS, 10, 12), holidays=ONTARIO)

    assert bookable(NINE_TO_FIVE, branch, CHRISTMAS) == from_to(10, 12, CHRISTMAS)


def test_a_closing_in_person_leaves_a_holiday_of_all_methods_in_force() -> None:
    branch = hours(overrides=closed(CHRISTMAS, all_methods=False), holidays=ONTARIO)

    assert bookable(NINE_TO_FIVE, branch, CHRISTMAS, in_person=False) == []


def test_hours_of_the_evening_before_end_at_the_midnight_of_a_closing() -> None:
    night = hours(every_day(span(22, 2)))

    assert bookable(night, hours(overrides=closed(TUESDAY))) == [(utc(MONDAY, 22), utc(TUESDAY, 0))]


# --- Overrides of a person ---------------------------------------------------------------------------------
def test_other_hours_of_a_person_replace_the_weekly_ones() -> None:
    sam = NINE_TO_FIVE._replace(overrides=open_from_to(MONDAY, 18, 20))

    assert bookable(sam) == from_to(18, 20)


def test_a_day_off_leaves_no_hours() -> None:
    assert bookable(NINE_TO_FIVE._replace(overrides=closed(MONDAY)), in_person=False) == []


def test_a_person_reopens_calls_on_a_closed_day_but_not_the_branch() -> None:
    sam = NINE_TO_FIVE._replace(overrides=open_from_to(CHRISTMAS, 10, 14))
    branch = hours(every_day(span(9, 12)), holidays=ONTARIO)

    assert bookable(sam, branch, CHRISTMAS, in_person=False) == from_to(10, 12, CHRISTMAS)
    assert bookable(sam, branch, CHRISTMAS) == []


def test_one_override_of_several_days_keeps_its_hours_across_midnight() -> None:
    sam = hours(overrides=(DayException(MONDAY, TUESDAY, (span(22, 2),)),))

    assert bookable(sam) == [(utc(MONDAY, 22), utc(TUESDAY, 2))]


# --- Several branches --------------------------------------------------------------------------------------
TWO_BRANCHES = hours(Week(None, ((0, span(9, 12)), (0, span(13, 17, OTHER)))))


@pytest.mark.parametrize(("at", "expected"), [(HOME, from_to(9, 12)), (OTHER, from_to(13, 17)), (3, [])])
def test_an_appointment_in_person_lies_in_the_hours_at_its_branch(at: int, expected: list[Interval]) -> None:
    assert bookable(TWO_BRANCHES, at=at) == expected


def test_calls_lie_in_the_hours_at_any_open_branch() -> None:
    assert bookable(TWO_BRANCHES, in_person=False) == from_to(9, 12) + from_to(13, 17)
    assert bookable(TWO_BRANCHES, hours(overrides=closed(MONDAY)), in_person=False) == from_to(13, 17)


def test_hours_at_no_certain_location_count_at_every_branch() -> None:
    nomad = hours(every_day(span(9, 17, None)))

    assert bookable(nomad, hours(every_day(span(10, 12)))) == from_to(10, 12)
    assert bookable(nomad, hours(every_day(span(10, 12))), in_person=False) == from_to(9, 17)


# --- Compared with a naive reading of the rules ------------------------------------------------------------
_times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
_zones = st.sampled_from([ZoneInfo(key) for key in ("UTC", "America/Toronto", "Australia/Lord_Howe", "Asia/Kolkata")])


def _days_around(middle: date) -> st.SearchStrategy[date]:
    return st.integers(-3, 3).map(lambda days: middle + timedelta(days=days))


@st.composite
def _spans(draw: st.DrawFn, places: list[int | None]) -> Span:
    start = draw(_times)
    end = draw(_times.filter(lambda end: end != start or start == time(0)))
    return Span(start, end, draw(st.sampled_from(places)))


@st.composite
def _hours(draw: st.DrawFn, middle: date, places: list[int | None], *, has_holidays: bool) -> Hours:
    pair = st.tuples(st.integers(0, 6), _spans(places))
    weeks = [
        Week(start, tuple(draw(st.lists(pair, min_size=1, max_size=5))))
        for start in (None, draw(_days_around(middle)))
        if draw(st.booleans())
    ]
    overrides, day = [], middle - timedelta(days=3)
    for length, gap in draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=2)):
        first = day + timedelta(days=gap)
        spans = tuple(draw(st.lists(_spans(places), max_size=2)))
        overrides.append(DayException(first, first + timedelta(days=length), spans, draw(st.booleans())))
        day = first + timedelta(days=length + 1)
    if not has_holidays:
        overrides = [each._replace(all_methods=True) for each in overrides]
    rule = ONTARIO._replace(all_methods=draw(st.booleans()))
    holidays = rule if has_holidays and draw(st.booleans()) else None
    return Hours(draw(_zones), tuple(weeks), tuple(overrides), holidays)


def _rule_on(owner: Hours, day: date, in_person: bool) -> DayException | None:
    rules = [each for each in owner.overrides if each.first <= day <= each.last]
    if owner.holidays and day in (CHRISTMAS, date(2026, 12, 26), date(2026, 12, 28)):
        rules.append(DayException(day, day, (), owner.holidays.all_methods))
    return next((rule for rule in rules if in_person or rule.all_methods), None)


def _open_at(owner: Hours, moment: int, in_person: bool, *, is_branch: bool) -> set[tuple[int | None, bool]]:
    """Return the place of each span that contains the moment, and whether an exception has that span."""
    found = set()
    day = datetime.fromtimestamp(moment, owner.zone).date()
    rule_now = _rule_on(owner, day, in_person)
    for first in (day - timedelta(days=1), day):
        rule = _rule_on(owner, first, in_person)
        in_force = [week for week in owner.weeks if week.starts_on is None or week.starts_on <= first]
        spans = [span for weekday, span in in_force[-1].spans if weekday == first.weekday()] if in_force else []
        if is_branch and not in_force:
            spans = [Span(time(0), time(0))]
        for each in spans if rule is None else rule.spans:
            last = first + timedelta(days=each.end <= each.start)
            start, end = local_datetime(first, each.start, owner.zone), local_datetime(last, each.end, owner.zone)
            if start <= moment < end and (first == day or rule_now in (None, rule)):
                found.add((each.place, rule is not None))
    return found


def _is_bookable(person: Hours, branches: dict[int, Hours], moment: int, at: int | None, in_person: bool) -> bool:
    for place, is_own in _open_at(person, moment, True, is_branch=False):
        if in_person and place not in (at, None):
            continue
        branch = branches.get(at if in_person else place)  # type: ignore[arg-type]
        if branch is not None and is_own and not in_person:
            branch = branch._replace(overrides=(), holidays=None)
        if branch is None or _open_at(branch, moment, in_person, is_branch=True):
            return True
    return False


# A whole set of rules is a large input.
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data(), middle=st.sampled_from([CHRISTMAS, AUTUMN, SPRING]), in_person=st.booleans())
def test_bookable_hours_follow_the_rules_at_every_moment(data: st.DataObject, middle: date, in_person: bool) -> None:
    person = data.draw(_hours(middle, [HOME, OTHER, None], has_holidays=False))
    branches = {pk: data.draw(_hours(middle, [None], has_holidays=True)) for pk in (HOME, OTHER)}
    at = data.draw(st.sampled_from([HOME, OTHER, None]))
    week = timedelta(days=7)

    found = bookable_intervals(
        person, tuple(branches.items()), middle - week, middle + week, at=at, in_person=in_person
    )

    start = utc(middle - timedelta(days=3), 0)
    for moment in range(start, start + 6 * 86400, 1800):
        assert contains(found, moment) == _is_bookable(person, branches, moment, at, in_person), moment
