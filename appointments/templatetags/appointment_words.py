"""What templates say about appointments."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone

from appointments.zones import zone_words
from services.models import MeetingMethod

register = template.Library()

_METHOD_ICONS = {
    MeetingMethod.AT_LOCATION: "geo-alt",
    MeetingMethod.PHONE: "telephone",
    MeetingMethod.VIDEO: "camera-video",
    MeetingMethod.OFF_SITE: "signpost-split",
}


@register.filter
def method_icon(method: int) -> str:
    """The name of the icon of a meeting method."""
    return _METHOD_ICONS[MeetingMethod(method)]


@register.filter
def zone_of(moment: datetime) -> str:
    """The name of the zone that this page shows the moment in."""
    zone = timezone.get_current_timezone()
    return zone_words(zone, moment) if isinstance(zone, ZoneInfo) else str(zone)
