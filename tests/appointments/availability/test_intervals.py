from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from appointments.availability.intervals import (
    Interval,
    contains,
    grid,
    intersect,
    local_datetime,
    merged,
    subtract,
)

TORONTO = ZoneInfo("America/Toronto")
# Clocks in Toronto jump from 02:00 to 03:00 and come back to 01:00 twice.
SPRING, AUTUMN = date(2027, 3, 14), date(2026, 11, 1)


def utc(day: date, hour: int, minute: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([(5, 5)], []),
        ([(7, 5)], []),
        ([(3, 5), (1, 2)], [(1, 2), (3, 5)]),
        ([(1, 3), (3, 5)], [(1, 5)]),
        ([(1, 9), (2, 3)], [(1, 9)]),
        ([(1, 4), (2, 6), (8, 9)], [(1, 6), (8, 9)]),
    ],
)
def test_merged_spans_are_sorted_and_apart(spans: list[Interval], expected: list[Interval]) -> None:
    assert merged(spans) == expected


@pytest.mark.parametrize(
    ("taken", "left"),
    [
        ([], [(10, 20), (30, 40)]),
        ([(0, 10)], [(10, 20), (30, 40)]),
        ([(20, 30)], [(10, 20), (30, 40)]),
        ([(12, 14)], [(10, 12), (14, 20), (30, 40)]),
        ([(12, 14), (16, 18)], [(10, 12), (14, 16), (18, 20), (30, 40)]),
        ([(15, 35)], [(10, 15), (35, 40)]),
        ([(0, 50)], []),
        ([(0, 11), (39, 50)], [(11, 20), (30, 39)]),
    ],
)
def test_taken_time_is_subtracted(taken: list[Interval], left: list[Interval]) -> None:
    assert subtract([(10, 20), (30, 40)], taken) == left


@pytest.mark.parametrize(
    ("others", "both"),
    [
        ([], []),
        ([(0, 50)], [(10, 20), (30, 40)]),
        ([(20, 30)], []),
        ([(15, 35)], [(15, 20), (30, 35)]),
        ([(11, 12), (13, 14)], [(11, 12), (13, 14)]),
    ],
)
def test_an_intersection_lies_in_both(others: list[Interval], both: list[Interval]) -> None:
    assert intersect([(10, 20), (30, 40)], others) == both


@pytest.mark.parametrize(
    ("moment", "expected"), [(9, False), (10, True), (19, True), (20, False), (30, True), (40, False)]
)
def test_a_span_holds_its_start_and_not_its_end(moment: int, expected: bool) -> None:
    assert contains([(10, 20), (30, 40)], moment) == expected


def test_the_grid_holds_the_multiples_within_the_spans() -> None:
    assert list(grid([(10, 20), (21, 24), (25, 31)], 5)) == [10, 15, 25, 30]


def test_a_jump_of_half_an_hour_is_found_too() -> None:
    # Lord Howe Island jumps from 02:00 to 02:30 (UTC+10:30 to +11).
    day = date(2026, 10, 4)

    assert local_datetime(day, time(2, 10), ZoneInfo("Australia/Lord_Howe")) == utc(date(2026, 10, 3), 15, 30)
