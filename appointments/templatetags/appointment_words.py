"""What templates say about appointments."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.models import Appointment
from appointments.zones import zone_words
from integrations.models import MeetingState
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


@register.filter
def link_state(appointment: Appointment) -> str:
    """The state of a video appointment's own link; empty where it needs none."""
    if appointment.method != MeetingMethod.VIDEO or appointment.meeting is None:
        return ""
    return MeetingState(appointment.meeting.state).value


@register.filter
def link_words(appointment: Appointment) -> str:
    """The state of a video appointment's link in words; empty where there is nothing to say."""
    words = {
        MeetingState.PENDING: _("Link is being created"),
        MeetingState.READY: _("Link ready"),
        MeetingState.FAILED: _("No link yet"),
    }
    return words.get(MeetingState(state), "") if (state := link_state(appointment)) else ""
