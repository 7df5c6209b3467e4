"""Template filters for appointments."""

from __future__ import annotations

from datetime import datetime, time

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.answers import answer_text
from appointments.labels import method_icon, personal_link_label, phone_to_call
from appointments.models import Appointment
from appointments.notifications.autolinks import without_autolinks
from appointments.time_zones import (
    clock_time,
    current_zone_label,
    current_zone_labels,
    day_and_time,
    other_local_time,
    pick_value,
    time_range,
    time_zone_label,
)
from appointments.timeline import event_text
from coconut.fields.phone_numbers import phone_number, tel_uri
from staff.clock import format_time, has_12_hours
from staff.zone_names import zone_city

register = template.Library()
register.filter(answer_text)
register.filter(clock_time, expects_localtime=True)
register.filter(current_zone_label)
register.filter(current_zone_labels)
register.filter(day_and_time, expects_localtime=True)
register.filter(event_text)
register.filter(method_icon)
register.filter(other_local_time)
register.filter(personal_link_label)
register.filter(pick_value, expects_localtime=True)
register.filter(phone_number)
register.filter(phone_to_call)
register.filter(time_range, expects_localtime=True)
register.filter(tel_uri)
register.filter(time_zone_label)
register.filter(without_autolinks)


@register.filter
def booked_local_time(appointment: Appointment) -> str:
    """Return the local start as booked, with its zone: "Mon 4 Jan 2027, 09:00, Vancouver"."""
    if appointment.local_start is None or appointment.local_zone is None:
        return ""
    return f"{date_format(appointment.local_start, 'D j M Y, H:i')}, {zone_city(appointment.local_zone)}"


@register.filter
def present_local_time(appointment: Appointment) -> str:
    """Return what clocks in the zone of `booked_local_time` show at the start now, with the abbreviation."""
    if appointment.local_zone is None:
        return ""
    return date_format(appointment.starts_at.astimezone(appointment.local_zone), "D j M Y, H:i T")


@register.filter
def zone_name(key: str) -> str:
    """Return a time zone's key with spaces: "America – St Johns"."""
    return key.replace("_", " ").replace("/", " – ")


@register.filter
def time_range_until(start: datetime, end: datetime) -> str:
    """Return a range within one day by local times, such as "09:00–12:00"; "all day" for the whole day."""
    first, last = timezone.localtime(start), timezone.localtime(end)
    if last.time() != time(0):
        return f"{format_time(first)}–{format_time(last)}"
    midnight = format_time(last) if has_12_hours() else "24:00"
    return _("all day") if first.time() == time(0) else f"{format_time(first)}–{midnight}"
