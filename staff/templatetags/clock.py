"""Template filters for times of day and time zones."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.formats import date_format

from staff.clock import format_time
from staff.zone_names import zone_label

register = template.Library()
register.filter(zone_label)


@register.filter(expects_localtime=True)
def date_and_time(at: datetime, day_format: str) -> str:
    """Return the day in Django's date format, and the time by the organisation's clock: "7 Dec 2026, 14:30"."""
    return f"{date_format(at, day_format)}, {format_time(at)}"
