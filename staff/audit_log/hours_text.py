"""Details of events about working hours and time off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from staff.models import Weekday

if TYPE_CHECKING:
    from staff.audit_log.models import AuditEvent


def describe_hours(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the weekly hours before and after."""
    return _describe_weeks(events, empty=_("no hours"))


def describe_opening_hours(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the opening hours before and after."""
    return _describe_weeks(events, empty=_("always open"))


def _describe_weeks(events: Sequence[AuditEvent], *, empty: str) -> dict[int, str]:
    return {
        event.pk: _("%(before)s → %(after)s")
        % {name: week_text(event.params[name]) or empty for name in ("before", "after")}
        for event in events
        if event.params
    }


def describe_time_off(events: Sequence[AuditEvent]) -> dict[int, str]:
    """Return the period, in the person's time zone."""
    return {event.pk: _period_text(event.params) for event in events if event.params}


def week_text(week: Sequence[tuple[int, str, str]]) -> str:
    """Return weekly hours, such as "Monday 09:00–17:00"."""
    ranges = [f"{Weekday(day).label} {start}–{end}" for day, start, end in week]
    return ", ".join(ranges)


def _period_text(params: Mapping[str, Any]) -> str:
    zone = ZoneInfo(params["zone"])
    times = [datetime.fromisoformat(params[name]).astimezone(zone) for name in ("starts_at", "ends_at")]
    return " – ".join(date_format(time, "D j M Y, H:i") for time in times)
