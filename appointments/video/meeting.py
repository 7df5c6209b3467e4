"""The video side of an appointment: a meeting of its own, or the personal link of somebody who chose that.

Each function changes the appointment in memory and asks for the meetings; the caller saves `VIDEO_FIELDS` in the same
transaction.
"""

from __future__ import annotations

from appointments.booking_rules.validation import check_can_host
from appointments.models import Appointment
from integrations.hosting.eligibility import Hosting, hosting_of
from integrations.meetings.requests import hand_over, request_cancel, request_meeting
from staff.models import StaffMember

VIDEO_FIELDS = ("meeting", "personal_meeting_url", "personal_meeting_note")


def arrange_video(appointment: Appointment) -> None:
    """Ask for a meeting of its own, or copy the personal link of somebody who chose that.

    Raises BookingError where the staff member cannot host.
    """
    hosting = _hosting(appointment.staff)
    if _copy_personal_link(appointment, hosting):
        return
    # Clients see the subject; it names nobody, as links get forwarded.
    subject = f"{appointment.service.name}, {appointment.organization.name}"
    appointment.meeting = request_meeting(
        host=appointment.staff,
        hosting=hosting,
        subject=subject[:255],
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
    )


def reassign_video(appointment: Appointment) -> None:
    """The appointment has another staff member: they host the same meeting, or a new one, or on their own link.

    Raises BookingError where they cannot host.
    """
    hosting = _hosting(appointment.staff)
    before = appointment.meeting
    if before is None or hosting.personal_url:
        retire_video(appointment)
        arrange_video(appointment)
        return
    appointment.meeting = hand_over(
        before,
        host=appointment.staff,
        hosting=hosting,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
    )


def retire_video(appointment: Appointment) -> None:
    """The appointment takes place on no video call any more; its meeting is let go."""
    if appointment.meeting_id is not None:
        request_cancel(appointment.meeting_id)
    appointment.meeting = None
    appointment.personal_meeting_url = appointment.personal_meeting_note = ""


def _hosting(host: StaffMember) -> Hosting:
    hosting = hosting_of([host])[host.pk]
    check_can_host(hosting)
    return hosting


def _copy_personal_link(appointment: Appointment, hosting: Hosting) -> bool:
    appointment.personal_meeting_url = hosting.personal_url
    appointment.personal_meeting_note = hosting.personal_note
    return bool(hosting.personal_url)
