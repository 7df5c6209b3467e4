"""Local times as people read them, also when clocks change."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from appointments.time_zones import clock_time, current_zone_labels, day_and_time, is_skipped, pick_value, time_range

TORONTO = ZoneInfo("America/Toronto")


def toronto(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TORONTO, fold=fold)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (toronto("2027-07-07T09:00"), toronto("2027-07-07T10:00"), "09:00–10:00"),
        (toronto("2027-11-07T01:30"), toronto("2027-11-07T01:30", fold=1), "01:30 EDT – 01:30 EST"),
        (toronto("2027-11-07T00:30"), toronto("2027-11-07T01:30"), "00:30 – 01:30 EDT"),
        (toronto("2027-03-14T01:30"), toronto("2027-03-14T03:30"), "01:30 EST – 03:30 EDT"),
        (toronto("2027-07-07T23:30"), toronto("2027-07-08T00:30"), "23:30 – Thu 8 Jul, 00:30"),
    ],
)
def test_a_range_says_which_time_and_day_its_end_is(start: datetime, end: datetime, words: str) -> None:
    assert time_range(start, end) == words


def test_only_a_time_that_comes_twice_has_an_abbreviation() -> None:
    times = [toronto("2027-11-07T00:59"), toronto("2027-11-07T01:00"), toronto("2027-11-07T01:00", fold=1)]

    assert [clock_time(each) for each in times] == ["00:59", "01:00 EDT", "01:00 EST"]
    assert day_and_time(times[2], "D j M") == "Sun 7 Nov, 01:00 EST"


def test_a_submitted_time_says_which_of_the_two_it_is() -> None:
    both = [toronto("2027-11-07T01:30", fold) for fold in (0, 1)]

    assert [pick_value(each) for each in both] == ["2027-11-07T01:30;0", "2027-11-07T01:30;1"]
    assert pick_value(toronto("2027-11-07T03:30")) == "2027-11-07T03:30"


def test_a_skipped_time_is_recognised() -> None:
    assert [is_skipped(toronto(f"2027-03-14T0{hour}:30")) for hour in (1, 2, 3)] == [False, True, False]


def test_the_label_of_several_times_has_the_abbreviations_of_their_season() -> None:
    with timezone.override(TORONTO):
        summer = current_zone_labels(toronto("2027-07-07T09:00"), toronto("2027-07-07T17:00"))
        change = current_zone_labels(toronto("2027-11-06T09:00"), toronto("2027-11-08T09:00"))

    assert (summer, change) == ("Toronto time (EDT)", "Toronto time (EDT, then EST)")
