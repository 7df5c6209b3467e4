"""Start times that a service offers: the multiples of its step on a local clock, such as every full hour."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from appointments.availability.intervals import DAY_SECONDS, Interval, grid
from services.models import Service
from staff.models import Location, StaffMember

# Every zone's offset is a whole number of quarter hours, so that steps which divide them read alike in all zones.
_QUARTER_HOUR: Final = 15 * 60
# No zone changes its offset twice in such a time.
_LONGEST_PIECE: Final = 14 * DAY_SECONDS


def step_seconds(service: Service) -> int:
    return service.start_step * 60


def most_starts_a_day(service: Service) -> int:
    """Return the number of start times that a day can have at most. The longest days have 25 hours."""
    return 25 * 60 // service.start_step


def start_zone(member: StaffMember, location: Location | None) -> ZoneInfo:
    """Return the zone on whose clock the start times read well: the location's, else the staff member's."""
    zone: ZoneInfo = location.time_zone if location else member.zone
    return zone


def start_times(free: list[Interval], service: Service, zone: ZoneInfo) -> list[int]:
    """Return the offered starts that lie in these intervals, in ascending unix seconds."""
    step = step_seconds(service)
    if _QUARTER_HOUR % step == 0:
        return grid(free, step)
    found: list[int] = []
    for start, end, offset in _pieces_of_one_offset(free, zone):
        shifted = grid([(start + offset, end + offset)], step)
        found += [moment - offset for moment in shifted]
    return found


def is_start_time(moment: int, service: Service, zone: ZoneInfo) -> bool:
    """Return whether the service offers this moment, in unix seconds, as a start."""
    return (moment + _utc_offset(moment, zone)) % step_seconds(service) == 0


def _pieces_of_one_offset(intervals: list[Interval], zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """Yield (start, end, UTC offset in seconds) of each part of the intervals during which the offset is the same."""
    for start, end in intervals:
        while start < end:
            offset, until = _utc_offset(start, zone), min(end, start + _LONGEST_PIECE)
            if _utc_offset(until - 1, zone) != offset:
                until = _first_other_offset(start, until, offset, zone)
            yield start, until, offset
            start = until


def _first_other_offset(start: int, end: int, offset: int, zone: ZoneInfo) -> int:
    seconds = range(start, end)
    return seconds[bisect_left(seconds, True, key=lambda moment: _utc_offset(moment, zone) != offset)]


def _utc_offset(moment: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(moment, zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0
