"""What templates say about appointments."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.labels import method_icon, personal_link_label, phone_to_call
from appointments.models import Appointment
from appointments.time_zones import current_zone_label, time_zone_label
from appointments.timeline import event_text

register = template.Library()
# The name of the zone that this page shows the moment in.
register.filter(current_zone_label)

register.filter(method_icon)
register.filter(event_text)


@register.filter
def zone_in(moment: datetime, zone: ZoneInfo) -> str:
    """The zone's name as people say it, at that moment."""
    return time_zone_label(zone, moment)


@register.filter
def zone_name(key: str) -> str:
    """The place of a zone, such as "St Johns", with its part of the world: "America – St Johns"."""
    return key.replace("_", " ").replace("/", " – ")


@register.filter
def clocks_until(start: datetime, end: datetime) -> str:
    """A stretch of one day by its clocks, such as "09:00–12:00"; or that it is the whole day."""
    first, last = timezone.localtime(start), timezone.localtime(end)
    if last.time() != time(0):
        return f"{first:%H:%M}–{last:%H:%M}"
    return _("all day") if first.time() == time(0) else f"{first:%H:%M}–24:00"


@register.filter
def clock_of(moment: datetime, zone: ZoneInfo) -> str:
    """What clocks of the zone show at that moment, with the day where it is another one; "" where it is the same."""
    here, there = timezone.localtime(moment), moment.astimezone(zone)
    if here.replace(tzinfo=None) == there.replace(tzinfo=None):
        return ""
    return date_format(there, "H:i" if here.date() == there.date() else "D H:i")


# The number that the client calls, if there is one.
register.filter(phone_to_call)


@register.filter
def personal_link(appointment: Appointment) -> str:
    """What the personal link is called that the appointment takes place on; "" where it is another one."""
    return personal_link_label(appointment)
