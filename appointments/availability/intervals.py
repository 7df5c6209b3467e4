"""Arithmetic over half-open intervals of whole unix seconds.

Lists of intervals are sorted, and the intervals neither touch nor overlap. Every function here returns such a list.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, tzinfo

Interval = tuple[int, int]

DAY_SECONDS = 24 * 60 * 60


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Sort intervals and join those that touch or overlap. Empty intervals are dropped."""
    joined: list[Interval] = []
    for start, end in sorted(interval for interval in intervals if interval[0] < interval[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def subtract(intervals: list[Interval], taken: list[Interval]) -> list[Interval]:
    """Return the parts of `intervals` outside `taken`."""
    left: list[Interval] = []
    ahead = 0
    for start, end in intervals:
        ahead = _first_ending_after(taken, start, ahead)
        for taken_start, taken_end in _until(taken, ahead, end):
            if start < taken_start:
                left.append((start, taken_start))
            start = taken_end
        if start < end:
            left.append((start, end))
    return left


def intersect(intervals: list[Interval], others: list[Interval]) -> list[Interval]:
    """Return the time that lies in both lists."""
    both: list[Interval] = []
    ahead = 0
    for start, end in intervals:
        ahead = _first_ending_after(others, start, ahead)
        both += [(max(start, a), min(end, b)) for a, b in _until(others, ahead, end)]
    return both


def contains(intervals: list[Interval], moment: int) -> bool:
    """Return whether a moment lies in one of the intervals."""
    place = bisect_right(intervals, moment, key=lambda interval: interval[0]) - 1
    return place >= 0 and moment < intervals[place][1]


def grid(intervals: list[Interval], step: int) -> list[int]:
    """Return the multiples of `step` that lie in the intervals."""
    found: list[int] = []
    for start, end in intervals:
        found += range(-(-start // step) * step, end, step)
    return found


def local_datetime(day: date, at: time, zone: tzinfo) -> int:
    """Return the moment at which clocks in the zone show this time.

    A time that occurs twice (autumn) means the first one. A skipped time (spring) means the moment of the skip.
    """
    first = datetime.combine(day, at, zone).replace(fold=0)
    second = first.replace(fold=1)
    if first.astimezone(UTC) <= second.astimezone(UTC):
        return int(first.timestamp())
    return _offset_change(int(second.timestamp()), int(first.timestamp()), zone)


def _offset_change(before: int, after: int, zone: tzinfo) -> int:
    """Return the moment in (before, after] at which the zone's offset changes."""
    offset = datetime.fromtimestamp(before, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _first_ending_after(intervals: list[Interval], moment: int, place: int) -> int:
    """Return the index of the first interval that ends after the moment, from `place` on."""
    while place < len(intervals) and intervals[place][1] <= moment:
        place += 1
    return place


def _until(intervals: list[Interval], place: int, end: int) -> Iterator[Interval]:
    """Yield the intervals from `place` on that begin before `end`."""
    while place < len(intervals) and intervals[place][0] < end:
        yield intervals[place]
        place += 1
