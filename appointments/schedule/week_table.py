"""Week of several staff members as a table: a row per staff member, a cell per day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import get_language

from appointments.labels import method_icon, status_icon
from appointments.models import Status
from appointments.schedule.days import Column, Schedule, TimeRange
from appointments.schedule.rows import AppointmentRow, link_label
from integrations.models import MeetingState
from services.models import MeetingMethod
from staff.models import StaffMember


class Chip(NamedTuple):
    """Appointment in a cell. Values are ready to show, because a week can have a thousand of them."""

    pk: str
    url: str
    status: str
    start: str
    client: str
    label: str
    icons: list[str]
    # The version for drag and drop; empty if the appointment can't be moved.
    version: str


@dataclass
class Cell:
    """Day of a staff member: appointments by start; working hours and time off as local times."""

    day: date
    chips: list[Chip] = field(default_factory=list)
    working: list[tuple[time, time]] = field(default_factory=list)
    away: list[tuple[time, time]] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """Days of a staff member."""

    member: StaffMember
    cells: list[Cell]

    @property
    def appointment_count(self) -> int:
        return sum(len(cell.chips) for cell in self.cells)


def week_rows(shown: Schedule) -> list[Row]:
    """Return the rows of the table, with a cell for each shown day."""
    return [Row(column.member, _cells(column, shown)) for column in shown.columns]


def _cells(column: Column, shown: Schedule) -> list[Cell]:
    cells: dict[date, Cell] = defaultdict(lambda: Cell(shown.first))
    cells |= {day: Cell(day) for day in shown.days}
    for appointment in column.appointments:
        start = appointment.starts_at.astimezone(shown.zone)
        cells[max(start.date(), shown.first)].chips.append(_chip(appointment, start))
    for day, start_time, end_time in _by_day(column.working, shown.zone):
        cells[day].working.append((start_time, end_time))
    for day, start_time, end_time in _by_day(column.away, shown.zone):
        cells[day].away.append((start_time, end_time))
    return [cells[day] for day in shown.days]


def _chip(appointment: AppointmentRow, start: datetime) -> Chip:
    method, status, link = appointment.method, appointment.status, appointment.link
    pk = str(appointment.pk)
    return Chip(
        pk=pk,
        url=_url_pattern().replace("/0/", f"/{pk}/"),
        status=status,
        start=f"{start:%H:%M}",
        client=appointment.client,
        label=f"{appointment.service}, {_state_label(method, status, link, get_language())}",
        icons=_icons(method, status, link),
        version=str(appointment.version) if appointment.is_movable else "",
    )


@lru_cache
def _icons(method: int, status: str, link: str) -> list[str]:
    warning = "exclamation-triangle-fill" if link == MeetingState.FAILED else ""
    return [icon for icon in (status_icon(status), warning, method_icon(method)) if icon]


@lru_cache
def _url_pattern() -> str:
    return reverse("appointment", args=[0])


@lru_cache(maxsize=1000)
def _state_label(method: int, status: str, link: str, _language: str | None) -> str:
    labels = (MeetingMethod(method).label, Status(status).label, link_label(link))
    return ", ".join(str(label) for label in labels if label)


def _by_day(ranges: list[TimeRange], zone: ZoneInfo) -> Iterator[tuple[date, time, time]]:
    """Cut each range at midnights. An end of 0:00 is the end of the day."""
    for start, end in ranges:
        local, until = start.astimezone(zone), end.astimezone(zone)
        while local.date() < until.date():
            midnight = datetime.combine(local.date() + timedelta(days=1), time(0), zone)
            yield local.date(), local.time(), time(0)
            local = midnight
        if local < until:
            yield local.date(), local.time(), until.time()
