"""Week of several staff members as a table: a row per staff member, a cell per day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TypedDict
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from appointments.labels import method_icon, status_icon
from appointments.models import Status
from appointments.schedule.days import Column, Schedule, TimeRange
from appointments.schedule.rows import AppointmentRow, link_label
from integrations.models import MeetingState
from services.models import MeetingMethod
from staff.clock import format_time
from staff.models import StaffMember


class Chip(TypedDict):
    """Appointment in a cell. Values are ready to show, because a week can have a thousand of them."""

    pk: str
    url: str
    status: str
    start: str
    client: str
    label: str
    method_icon: str
    # Icons of the status and of a missing link.
    marks: list[str]
    # The version for drag and drop; empty if the appointment can't be moved.
    version: str


@dataclass(frozen=True)
class Day:
    """Day of the table, with its labels."""

    date: date
    iso: str
    label: str
    long_label: str
    is_today: bool
    is_past: bool


@dataclass
class Cell:
    """Day of a staff member: appointments by start; working hours and time off as local times."""

    day: Day
    book_label: str = ""
    chips: list[Chip] = field(default_factory=list)
    working: list[str] = field(default_factory=list)
    is_away: bool = False


@dataclass(frozen=True)
class Row:
    """Days of a staff member."""

    member: StaffMember
    cells: list[Cell]

    @property
    def appointment_count(self) -> int:
        return sum(len(cell.chips) for cell in self.cells)


@dataclass(frozen=True)
class WeekTable:
    """Days of the head, and a row per staff member with a cell for each day."""

    days: list[Day]
    rows: list[Row]


def week_table(shown: Schedule, today: date) -> WeekTable:
    """Return the table of the shown days."""
    days = [_day(day, today) for day in shown.days]
    return WeekTable(days, [Row(column.member, _cells(column, days, shown)) for column in shown.columns])


def _day(day: date, today: date) -> Day:
    return Day(
        date=day,
        iso=day.isoformat(),
        label=date_format(day, "D j M"),
        long_label=date_format(day, "l j F"),
        is_today=day == today,
        is_past=day < today,
    )


def _cells(column: Column, days: list[Day], shown: Schedule) -> list[Cell]:
    cells = {day.date: Cell(day, "" if day.is_past else _book_label(column.member, day)) for day in days}
    for appointment in column.appointments:
        start = appointment.starts_at.astimezone(shown.zone)
        cells[max(start.date(), shown.first)].chips.append(_chip(appointment, start))
    # Hours after midnight and time off may lie on a weekend that isn't shown.
    for day, start_time, end_time in _by_day(column.working, shown.zone):
        if day in cells:
            cells[day].working.append(f"{format_time(start_time)}–{format_time(end_time)}")
    for day, _start, _end in _by_day(column.away, shown.zone):
        if day in cells:
            cells[day].is_away = True
    return list(cells.values())


def _book_label(member: StaffMember, day: Day) -> str:
    return _("Book %(name)s on %(day)s") % {"name": member.name, "day": day.long_label}


def _chip(appointment: AppointmentRow, start: datetime) -> Chip:
    method, status, link = appointment.method, appointment.status, appointment.link
    pk = str(appointment.pk)
    return Chip(
        pk=pk,
        url=_url_pattern().replace("/0/", f"/{pk}/"),
        status=status,
        start=format_time(start),
        client=appointment.client_label,
        label=f"{appointment.service}, {_state_label(method, status, link, get_language())}{_attention(appointment)}",
        method_icon=method_icon(method),
        marks=_marks(status, link, bool(appointment.cause)),
        version=str(appointment.version) if appointment.is_movable else "",
    )


def _attention(appointment: AppointmentRow) -> str:
    return ", " + _("Needs attention") if appointment.cause else ""


@lru_cache
def _marks(status: str, link: str, needs_attention: bool) -> list[str]:
    warning = "exclamation-triangle-fill" if link == MeetingState.FAILED else ""
    return [icon for icon in (status_icon(status), warning, "flag-fill" if needs_attention else "") if icon]


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
