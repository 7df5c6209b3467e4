"""Days as the browser's calendar reads them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse

from appointments.labels import method_icon, status_icon
from appointments.schedule.days import Column, Schedule, TimeRange
from appointments.schedule.rows import AppointmentRow


def calendar_json(shown: Schedule, *, may_book: bool) -> dict[str, Any]:
    """Columns, appointments and hours. Times are clock times in the viewer's zone, as the calendar wants them.

    A day has a column per person; several days are those of one person, a column each.
    """
    first, last = shown.hours
    every = [shown.first + timedelta(days=number) for number in range(shown.length)]
    return {
        "view": "resourceTimeGridDay" if shown.length == 1 else "timeGridWeek",
        "date": shown.first.isoformat(),
        # As JavaScript counts them, from Sunday.
        "hiddenDays": [day.isoweekday() % 7 for day in every if day not in shown.days],
        "zone": shown.zone.key,
        "from": f"{first:02}:00",
        "to": f"{last:02}:00",
        "bookUrl": reverse("appointment-add") if may_book else "",
        "resources": [_resource(column, shown) for column in shown.columns],
        "events": [event for column in shown.columns for event in _column(column, shown.zone)],
    }


def _resource(column: Column, shown: Schedule) -> dict[str, Any]:
    week = urlencode({"view": "week", "staff": column.member.pk, "date": shown.first.isoformat()})
    return {
        "id": str(column.member.pk),
        "title": column.member.name,
        "extendedProps": {"url": f"{reverse('schedule')}?{week}"},
    }


def _column(column: Column, zone: ZoneInfo) -> list[dict[str, Any]]:
    resource = str(column.member.pk)
    closed = [_background(stretch, resource, "closed", zone) for stretch in column.closed]
    away = [_background(stretch, resource, "away", zone) for stretch in column.away]
    return closed + away + [_event(booked, resource, zone) for booked in column.appointments]


def _background(stretch: TimeRange, resource: str, kind: str, zone: ZoneInfo) -> dict[str, Any]:
    start, end = stretch
    return {
        "start": _clock(start, zone),
        "end": _clock(end, zone),
        "resourceIds": [resource],
        "display": "background",
        "classNames": [f"hours-{kind}"],
    }


def _event(booked: AppointmentRow, resource: str, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": str(booked.pk),
        "start": _clock(booked.starts_at, zone),
        "end": _clock(booked.ends_at, zone),
        "resourceIds": [resource],
        "title": booked.client,
        "startEditable": booked.is_movable,
        "durationEditable": booked.is_movable and booked.adjustable,
        "classNames": ["booked", f"booked-{booked.status}", *_height(booked)],
        "extendedProps": {
            "url": reverse("appointment", args=[booked.pk]),
            "version": booked.version,
            "service": booked.service,
            "status": booked.status_label,
            "statusIcon": status_icon(booked.status),
            "method": booked.method_label,
            "icon": method_icon(booked.method),
            "link": booked.link,
            "linkWords": booked.link_label,
        },
    }


def _height(booked: AppointmentRow) -> list[str]:
    """Half an hour and less has room for a line of the name and one of the service; a quarter for the name only."""
    length = booked.ends_at - booked.starts_at
    if length <= timedelta(minutes=20):
        return ["booked-short", "booked-tiny"]
    return ["booked-short"] if length <= timedelta(minutes=30) else []


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")
