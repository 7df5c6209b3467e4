"""Names, labels and icons that pages and emails show for an appointment."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.models import Appointment, AppointmentEventKind, BookedThrough, Status
from appointments.time_zones import day_and_time
from integrations.platforms.registry import platform_of
from services.models import MeetingMethod


def join_label(appointment: Appointment) -> str:
    """Return the label of the join button. It names the platform, except for a personal link."""
    if appointment.meeting is None:
        return _("Join video call")
    platform = platform_of(appointment.meeting.connection)
    return _("Join %(platform)s meeting") % {"platform": platform.label}


def personal_link_label(appointment: Appointment) -> str:
    """Return the label of a personal link, such as "Sam Okafor’s personal link"; "" for any other link."""
    if not appointment.personal_meeting_url:
        return ""
    return _("%(name)s’s personal link") % {"name": appointment.staff.name}


def phone_to_call(appointment: Appointment) -> str:
    """Return the phone number for clients: of the location, the staff member's location or the organisation."""
    places = (appointment.location, appointment.staff.location)
    own = next((place.phone for place in places if place is not None and place.phone), "")
    return own or appointment.organization.phone


def reason_for_client(appointment: Appointment) -> str:
    """Return the reason of a cancellation if staff gave it; "" otherwise.

    A reason given through a private link isn't repeated: anyone could have written it, in the organisation's name.
    """
    by_staff = appointment.events.filter(kind=AppointmentEventKind.CANCELLED_WITH_REASON).exclude(
        through=BookedThrough.CLIENT_VIEW
    )
    return appointment.cancel_reason if appointment.cancel_reason and by_staff.exists() else ""


def list_appointments(appointments: Iterable[Appointment]) -> str:
    """Return service, staff member and start of each as text, in the current time zone."""
    return "; ".join(map(_service_staff_and_start, appointments))


def _service_staff_and_start(appointment: Appointment) -> str:
    when = day_and_time(timezone.localtime(appointment.starts_at), "D j M Y")
    params = {"service": appointment.service.name, "staff": appointment.staff.name, "when": when}
    return _("%(service)s with %(staff)s, %(when)s") % params


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
    return _METHOD_ICONS[MeetingMethod(method)]


def status_icon(status: str) -> str:
    """Return the icon name of a status, as colour alone isn't accessible; "" for confirmed or cancelled."""
    return _STATUS_ICONS.get(Status(status), "")
