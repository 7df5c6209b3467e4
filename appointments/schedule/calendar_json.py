"""Schedule as JSON for the calendar in the browser."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import gcd
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext as _

from appointments.labels import method_icon, status_icon
from appointments.schedule.days import Column, Schedule, TimeRange
from appointments.schedule.rows import AppointmentRow
from staff.clock import has_12_hours

# Height of a row of the calendar, which a click chooses.
_SLOT_MINUTES: Final = 15


def calendar_json(shown: Schedule, *, may_book: bool) -> dict[str, Any]:
    """Return columns, appointments and hours. Times are local times in the viewer's zone.

    A day has a column per staff member. A week of one staff member has a column per day.
    """
    first, last = shown.hours
    every = [shown.first + timedelta(days=number) for number in range(shown.length)]
    return {
        "view": "resourceTimeGridDay" if shown.length == 1 else "timeGridWeek",
        "date": shown.first.isoformat(),
        # JavaScript counts weekdays from Sunday.
        "hiddenDays": [day.isoweekday() % 7 for day in every if day not in shown.days],
        "firstDay": shown.first.isoweekday() % 7,
        "hour12": has_12_hours(),
        "zone": shown.zone.key,
        "from": f"{first:02}:00",
        "to": f"{last:02}:00",
        "snap": f"00:{_snap_minutes(shown):02}",
        "bookUrl": reverse("appointment-add") if may_book else "",
        "resources": [_resource(column, shown) for column in shown.columns],
        "events": [event for column in shown.columns for event in _column(column, shown.zone)],
    }


def _snap_minutes(shown: Schedule) -> int:
    """Return the minutes by which a drag moves an appointment, such that each can reach its service's start times."""
    steps = (booked.start_step for column in shown.columns for booked in column.appointments)
    return gcd(_SLOT_MINUTES, *steps)


def _resource(column: Column, shown: Schedule) -> dict[str, Any]:
    week = urlencode({"view": "week", "staff": column.member.pk, "date": shown.first.isoformat()})
    return {
        "id": str(column.member.pk),
        "title": column.member.name,
        "extendedProps": {"url": f"{reverse('schedule')}?{week}"},
    }


def _column(column: Column, zone: ZoneInfo) -> list[dict[str, Any]]:
    resource = str(column.member.pk)
    closed = [_background(time_range, resource, "closed", zone) for time_range in column.closed]
    away = [_background(time_range, resource, "away", zone) for time_range in column.away]
    return closed + away + [_event(booked, resource, zone) for booked in column.appointments]


def _background(time_range: TimeRange, resource: str, kind: str, zone: ZoneInfo) -> dict[str, Any]:
    start, end = time_range
    return {
        "start": _local_time(start, zone),
        "end": _local_time(end, zone),
        "resourceIds": [resource],
        "display": "background",
        "classNames": [f"hours-{kind}"],
    }


def _event(booked: AppointmentRow, resource: str, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": str(booked.pk),
        "start": _local_time(booked.starts_at, zone),
        # The length counts, not the clock: after a clock change, the end could read as earlier than the start.
        "end": _local_end(booked, zone),
        "resourceIds": [resource],
        "title": booked.client_label,
        "startEditable": booked.is_movable,
        "durationEditable": booked.is_movable and booked.adjustable,
        "classNames": ["booked", f"booked-{booked.status}", *_attention_classes(booked), *_size_classes(booked)],
        "extendedProps": {
            "url": reverse("appointment", args=[booked.pk]),
            "version": booked.version,
            "service": booked.service,
            "status": booked.status_label,
            "statusIcon": status_icon(booked.status),
            "method": booked.method_label,
            "icon": method_icon(booked.method),
            "link": booked.link,
            "linkLabel": booked.link_label,
            "attention": _("Needs attention") if booked.cause else "",
        },
    }


def _attention_classes(booked: AppointmentRow) -> list[str]:
    return ["booked-attention"] if booked.cause else []


def _size_classes(booked: AppointmentRow) -> list[str]:
    """Return the classes of a short appointment: 30 minutes fit two lines, 20 minutes fit one."""
    length = booked.ends_at - booked.starts_at
    if length <= timedelta(minutes=20):
        return ["booked-short", "booked-tiny"]
    return ["booked-short"] if length <= timedelta(minutes=30) else []


def _local_end(booked: AppointmentRow, zone: ZoneInfo) -> str:
    start = booked.starts_at.astimezone(zone).replace(tzinfo=None)
    return (start + (booked.ends_at - booked.starts_at)).isoformat()


def _local_time(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")
