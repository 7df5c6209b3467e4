"""The cells of the week's table. A thousand appointments are a thousand lines: too many for the template's language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from functools import lru_cache
from html import escape
from zoneinfo import ZoneInfo

from django import template
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from appointments.labels import method_icon, status_icon
from appointments.models import Status
from appointments.schedule.rows import AppointmentRow, link_label
from appointments.schedule.week_table import Cell, Row
from services.models import MeetingMethod

register = template.Library()


@register.simple_tag
def week_cells(row: Row, zone: ZoneInfo, today: date, may_book: bool) -> SafeString:
    """The days of one person. Whatever people have typed is escaped here."""
    book = reverse("appointment-add") if may_book else ""
    cells = (_cell(row, cell, zone, book if cell.day >= today else "", today) for cell in row.cells)
    return mark_safe("".join(cells))  # noqa: S308 - `_cell` escapes


def _cell(row: Row, cell: Cell, zone: ZoneInfo, book: str, today: date) -> str:
    return (
        f'<td class="{" ".join(_classes(cell, today))}" data-day="{cell.day}" data-staff="{row.member.pk}">'
        f'<span class="week-day">{_day(cell.day, "D j M", get_language())}</span>'
        f'<span class="week-hours">{_hours(cell)}</span>'
        f"{''.join(_chip(booked, zone) for booked in cell.appointments)}"
        f"{_book(row, cell, book) if book else ''}</td>"
    )


def _classes(cell: Cell, today: date) -> Iterator[str]:
    yield "week-cell"
    if not cell.working:
        yield "is-closed"
    if not cell.appointments:
        yield "is-empty"
    if cell.day < today:
        yield "is-past"


def _hours(cell: Cell) -> str:
    hours = " ".join(f"{_time(start)}–{_time(end)}" for start, end in cell.working)
    if cell.away:
        return f"{hours} <em>{_('Time off')}</em>"
    return hours or _("Not working")


def _chip(booked: AppointmentRow, zone: ZoneInfo) -> str:
    # Before the name, which is cut where it is too long.
    trouble = "exclamation-triangle-fill" if booked.link == "failed" else ""
    signs = (status_icon(booked.status), trouble, method_icon(booked.method))
    about = f"{booked.service}, {_about(booked.method, booked.status, booked.link, get_language())}"
    start = f"{booked.starts_at.astimezone(zone):%H:%M}"
    drag = (
        f' draggable="true" data-time="{start}" data-version="{booked.version}"' if booked.is_movable else ""
    )
    return (
        f'<a class="chip booked-{booked.status}" href="{_address(booked.pk)}" data-appointment="{booked.pk}"{drag}>'
        f'<span class="chip-time">{start}</span>'
        f"{''.join(_icon(name) for name in signs if name)} {escape(booked.client)}"
        f'<span class="visually-hidden">, {escape(about)}</span></a>'
    )


def _icon(name: str) -> str:
    return f' <i class="bi bi-{name}" aria-hidden="true"></i>'


def _book(row: Row, cell: Cell, address: str) -> str:
    words = _("Book %(name)s on %(day)s") % {
        "name": row.member.name,
        "day": _day(cell.day, "l j F", get_language()),
    }
    return (
        f'<a class="week-book" href="{address}?staff={row.member.pk}&amp;date={cell.day}"'
        f' aria-label="{escape(words)}"><i class="bi bi-plus-lg" aria-hidden="true"></i></a>'
    )


def _address(pk: int) -> str:
    return _pattern().replace("/0/", f"/{pk}/")


@lru_cache
def _pattern() -> str:
    return reverse("appointment", args=[0])


@lru_cache(maxsize=1000)
def _day(day: date, how: str, _language: str | None) -> str:
    return date_format(day, how)


@lru_cache(maxsize=1000)
def _about(method: int, status: str, link: str, _language: str | None) -> str:
    words = (MeetingMethod(method).label, Status(status).label, link_label(link))
    return ", ".join(str(word) for word in words if word)


def _time(moment: time) -> str:
    return f"{moment:%H:%M}"
