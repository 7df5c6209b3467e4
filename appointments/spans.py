"""Arithmetic over half-open stretches of time, in whole unix seconds: no models, no time zones but one function.

A list of spans is sorted and its spans neither touch nor overlap; every function here returns such a list.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

Span = tuple[int, int]
#: (weekday as `date.weekday()` counts, from, to) in local time.
WeeklySpan = tuple[int, time, time]

DAY_SECONDS = 24 * 60 * 60
# A time field knows no 24:00: the last minute of a day stands for its end.
LAST_MINUTE = time(23, 59)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Sort spans in any order and join those that touch or overlap; empty ones vanish."""
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def subtract(spans: list[Span], taken: list[Span]) -> list[Span]:
    """What is left of `spans` outside `taken`."""
    left: list[Span] = []
    for start, end in spans:
        for taken_start, taken_end in _overlapping(taken, start, end):
            left.append((start, taken_start))
            start = taken_end
        left.append((start, end))
    return [span for span in left if span[0] < span[1]]


def intersect(spans: list[Span], others: list[Span]) -> list[Span]:
    """What lies in both lists."""
    return [
        (max(start, other_start), min(end, other_end))
        for start, end in spans
        for other_start, other_end in _overlapping(others, start, end)
    ]


def contains(spans: list[Span], moment: int) -> bool:
    """Whether a moment lies in one of the spans."""
    place = bisect_right(spans, moment, key=lambda span: span[0]) - 1
    return place >= 0 and moment < spans[place][1]


def grid(spans: list[Span], step: int) -> Iterator[int]:
    """The multiples of `step` that lie in the spans."""
    for start, end in spans:
        yield from range(-(-start // step) * step, end, step)


def weekly_spans(hours: Iterable[WeeklySpan], zone: tzinfo, first_day: date, last_day: date) -> list[Span]:
    """The stretches that weekly hours mean in a zone, from `first_day` to `last_day`, both included."""
    rows = list(hours)
    days = [first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1)]
    return merged(
        (local_moment(day, start, zone), _end_moment(day, end, zone))
        for day in days
        for weekday, start, end in rows
        if weekday == day.weekday()
    )


def local_moment(day: date, at: time, zone: tzinfo) -> int:
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
        return local_moment(day + timedelta(days=1), time(0), zone)
    return local_moment(day, end, zone)


def _overlapping(spans: list[Span], start: int, end: int) -> Iterator[Span]:
    place = max(bisect_right(spans, start, key=lambda span: span[0]) - 1, 0)
    for span in spans[place:]:
        if span[0] >= end:
            return
        if span[1] > start:
            yield span
