"""Several days of several people as a table: a row per person, a cell per day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from appointments.schedule.days import Column, Schedule, TimeRange
from appointments.schedule.rows import AppointmentRow
from staff.models import StaffMember


@dataclass
class Cell:
    """One person's day: what they have, by their start, and when they work and are away, as clock times."""

    day: date
    appointments: list[AppointmentRow] = field(default_factory=list)
    working: list[tuple[time, time]] = field(default_factory=list)
    away: list[tuple[time, time]] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """One person's days."""

    member: StaffMember
    cells: list[Cell]

    @property
    def how_many(self) -> int:
        """Appointments in these days."""
        return sum(len(cell.appointments) for cell in self.cells)


def grid_of(shown: Schedule) -> list[Row]:
    """The rows of the table, with a cell for each day that is shown."""
    return [Row(column.member, _cells(column, shown)) for column in shown.columns]


def _cells(column: Column, shown: Schedule) -> list[Cell]:
    cells: dict[date, Cell] = defaultdict(lambda: Cell(shown.first))
    cells |= {day: Cell(day) for day in shown.days}
    for booked in column.appointments:
        day = max(booked.starts_at.astimezone(shown.zone).date(), shown.first)
        cells[day].appointments.append(booked)
    for day, start, end in _by_day(column.working, shown.zone):
        cells[day].working.append((start, end))
    for day, start, end in _by_day(column.away, shown.zone):
        cells[day].away.append((start, end))
    return [cells[day] for day in shown.days]


def _by_day(stretches: list[TimeRange], zone: ZoneInfo) -> Iterator[tuple[date, time, time]]:
    """Each stretch cut at midnights, by its day; 0:00 in the end is the day's end."""
    for start, end in stretches:
        local, until = start.astimezone(zone), end.astimezone(zone)
        while local.date() < until.date():
            midnight = datetime.combine(local.date() + timedelta(days=1), time(0), zone)
            yield local.date(), local.time(), time(0)
            local = midnight
        if local < until:
            yield local.date(), local.time(), until.time()
