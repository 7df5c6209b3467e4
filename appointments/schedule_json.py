"""A day as the browser's calendar reads it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse

from appointments.models import Appointment
from appointments.schedule import Column, Day, Stretch
from appointments.templatetags.appointment_words import link_state, link_words, method_icon


def calendar_json(day: Day, *, may_book: bool) -> dict[str, Any]:
    """Columns, appointments and hours. Times are clock times in the day's zone, as the calendar wants them."""
    first, last = day.hours
    return {
        "date": day.date.isoformat(),
        "zone": day.zone.key,
        "from": f"{first:02}:00",
        "to": f"{last:02}:00",
        "bookUrl": reverse("appointment-add") if may_book else "",
        "resources": [{"id": str(column.member.pk), "title": column.member.name} for column in day.columns],
        "events": [event for column in day.columns for event in _column(column, day.zone)],
    }


def _column(column: Column, zone: ZoneInfo) -> list[dict[str, Any]]:
    resource = str(column.member.pk)
    closed = [_background(stretch, resource, "closed", zone) for stretch in column.closed]
    away = [_background(stretch, resource, "away", zone) for stretch in column.away]
    return closed + away + [_event(appointment, resource, zone) for appointment in column.appointments]


def _background(stretch: Stretch, resource: str, kind: str, zone: ZoneInfo) -> dict[str, Any]:
    start, end = stretch
    return {
        "start": _clock(start, zone),
        "end": _clock(end, zone),
        "resourceIds": [resource],
        "display": "background",
        "classNames": [f"hours-{kind}"],
    }


def _event(appointment: Appointment, resource: str, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": str(appointment.pk),
        "start": _clock(appointment.starts_at, zone),
        "end": _clock(appointment.ends_at, zone),
        "resourceIds": [resource],
        "title": appointment.client.name,
        "classNames": ["booked", f"booked-{appointment.status}", *_height(appointment)],
        "extendedProps": {
            "url": reverse("appointment", args=[appointment.pk]),
            "service": appointment.service.name,
            "status": appointment.get_status_display(),
            "method": appointment.get_method_display(),
            "icon": method_icon(appointment.method),
            "link": link_state(appointment),
            "linkWords": link_words(appointment),
        },
    }


def _height(appointment: Appointment) -> list[str]:
    """Half an hour and less has room for a line of the name and one of the service."""
    return ["booked-short"] if appointment.ends_at - appointment.starts_at <= timedelta(minutes=30) else []


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")
