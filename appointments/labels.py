"""Names, labels and icons that pages and emails show for an appointment."""

from __future__ import annotations

from django.utils.translation import gettext as _

from appointments.models import Appointment, Status
from integrations.platforms.registry import platform_of
from services.models import MeetingMethod


def join_label(appointment: Appointment) -> str:
    """The words on the button, such as "Join Microsoft Teams meeting"; a personal link may lead anywhere."""
    if appointment.meeting is None:
        return _("Join video call")
    platform = platform_of(appointment.meeting.connection)
    return _("Join %(platform)s meeting") % {"platform": platform.label}


def personal_link_label(appointment: Appointment) -> str:
    """What a personal link is called wherever it shows, such as "Sam Okafor’s personal link"; "" for any other link."""
    if not appointment.personal_meeting_url:
        return ""
    return _("%(name)s’s personal link") % {"name": appointment.staff.name}


def phone_to_call(appointment: Appointment) -> str:
    """The number that the client calls: of the place, else of where the staff member works, else of the house."""
    places = (appointment.location, appointment.staff.location)
    own = next((place.phone for place in places if place is not None and place.phone), "")
    return own or appointment.organization.phone


_METHOD_ICONS = {
    MeetingMethod.AT_LOCATION: "geo-alt",
    MeetingMethod.PHONE: "telephone",
    MeetingMethod.VIDEO: "camera-video",
    MeetingMethod.OFF_SITE: "signpost-split",
}
_STATUS_ICONS = {
    Status.ARRIVED: "person-check-fill",
    Status.IN_PROGRESS: "play-fill",
    Status.SERVED: "check-lg",
    Status.NO_SHOW: "person-x-fill",
}


def method_icon(method: int) -> str:
    """The name of the icon of a meeting method."""
    return _METHOD_ICONS[MeetingMethod(method)]


def status_icon(status: str) -> str:
    """The name of the icon of a status, so that it is not told by colour alone; empty for one that is as booked."""
    return _STATUS_ICONS.get(Status(status), "")
