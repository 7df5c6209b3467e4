"""Arithmetic over half-open stretches of time, in whole unix seconds: no models, no time zones but one function.

A list of spans is sorted and its spans neither touch nor overlap; every function here returns such a list.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

Interval = tuple[int, int]
#: (weekday as `date.weekday()` counts, from, to) in local time.
WeeklyInterval = tuple[int, time, time]

DAY_SECONDS = 24 * 60 * 60
# A time field knows no 24:00: the last minute of a day stands for its end.
LAST_MINUTE = time(23, 59)


def merged(spans: Iterable[Interval]) -> list[Interval]:
    """Sort spans in any order and join those that touch or overlap; empty ones vanish."""
    joined: list[Interval] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def subtract(spans: list[Interval], taken: list[Interval]) -> list[Interval]:
    """What is left of `spans` outside `taken`."""
    left: list[Interval] = []
    ahead = 0
    for start, end in spans:
        ahead = _first_ending_after(taken, start, ahead)
        for taken_start, taken_end in _until(taken, ahead, end):
            if start < taken_start:
                left.append((start, taken_start))
            start = taken_end
        if start < end:
            left.append((start, end))
    return left


def intersect(spans: list[Interval], others: list[Interval]) -> list[Interval]:
    """What lies in both lists."""
    both: list[Interval] = []
    ahead = 0
    for start, end in spans:
        ahead = _first_ending_after(others, start, ahead)
        both += [(max(start, a), min(end, b)) for a, b in _until(others, ahead, end)]
    return both


def contains(spans: list[Interval], moment: int) -> bool:
    """Whether a moment lies in one of the spans."""
    place = bisect_right(spans, moment, key=lambda span: span[0]) - 1
    return place >= 0 and moment < spans[place][1]


def grid(spans: list[Interval], step: int) -> list[int]:
    """The multiples of `step` that lie in the spans."""
    found: list[int] = []
    for start, end in spans:
        found += range(-(-start // step) * step, end, step)
    return found


def weekly_intervals(
    hours: Iterable[WeeklyInterval], zone: tzinfo, first_day: date, last_day: date
) -> list[Interval]:
    """The stretches that weekly hours mean in a zone, from `first_day` to `last_day`, both included."""
    rows = list(hours)
    days = [first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1)]
    return merged(
        (local_datetime(day, start, zone), _end_moment(day, end, zone))
        for day in days
        for weekday, start, end in rows
        if weekday == day.weekday()
    )


def local_datetime(day: date, at: time, zone: tzinfo) -> int:
    """The moment at which clocks in the zone show this time.

    A time that comes twice (autumn) means the first; one that is skipped (spring) means the jump over it.
    """
    first = datetime.combine(day, at, zone).replace(fold=0)
    second = first.replace(fold=1)
    if first.astimezone(UTC) <= second.astimezone(UTC):
        return int(first.timestamp())
    return _jump_between(int(second.timestamp()), int(first.timestamp()), zone)


def _jump_between(before: int, after: int, zone: tzinfo) -> int:
    """The moment in (before, after] at which the zone's offset changes."""
    offset = datetime.fromtimestamp(before, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _end_moment(day: date, end: time, zone: tzinfo) -> int:
    if end >= LAST_MINUTE:
        return local_datetime(day + timedelta(days=1), time(0), zone)
    return local_datetime(day, end, zone)


def _first_ending_after(spans: list[Interval], moment: int, place: int) -> int:
    """Where the first span that ends after the moment stands, from `place` on: both lists are walked once."""
    while place < len(spans) and spans[place][1] <= moment:
        place += 1
    return place


def _until(spans: list[Interval], place: int, end: int) -> Iterator[Interval]:
    """The spans from `place` on that begin before `end`."""
    while place < len(spans) and spans[place][0] < end:
        yield spans[place]
        place += 1
