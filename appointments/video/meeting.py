"""Video call of an appointment: a meeting, or the personal link if the staff member chose that.

Each function changes the appointment in memory and requests the meetings. The caller saves `VIDEO_FIELDS` in the same
transaction.
"""

from __future__ import annotations

from appointments.booking_rules.errors import StaffUnavailable
from appointments.models import Appointment
from integrations.hosting.eligibility import Hosting, hosting_of
from integrations.meetings.organizers import replacement_of
from integrations.meetings.requests import hand_over, request_cancel, request_meeting
from staff.models import StaffMember

VIDEO_FIELDS = ("meeting", "personal_meeting_url", "personal_meeting_note")


def arrange_video(appointment: Appointment) -> None:
    """Request a meeting, or copy the personal link if the staff member chose that.

    Raises BookingError if the staff member can't host.
    """
    hosting = _hosting(appointment.staff)
    if _copy_personal_link(appointment, hosting):
        return
    # Clients see the subject. It names no person, as links get forwarded.
    subject = f"{appointment.service.name}, {appointment.organization.name}"
    appointment.meeting = request_meeting(
        host=appointment.staff,
        hosting=hosting,
        subject=subject[:255],
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
    )


def reassign_video(appointment: Appointment) -> None:
    """Give the video call to the appointment's new staff member: the same meeting, a new one or a personal link.

    Raises BookingError if the new staff member can't host.
    """
    hosting = _hosting(appointment.staff)
    previous = appointment.meeting
    if previous is None or hosting.personal_url:
        retire_video(appointment)
        arrange_video(appointment)
        return
    appointment.meeting = hand_over(
        previous,
        host=appointment.staff,
        hosting=hosting,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
    )


def follow_organizer(appointment: Appointment) -> bool:
    """Replace the meeting if its organizer on the platform has changed, and return whether it was replaced."""
    replacement = replacement_of(appointment.meeting) if appointment.meeting is not None else None
    if replacement is not None:
        appointment.meeting = replacement
    return replacement is not None


def retire_video(appointment: Appointment) -> None:
    """Cancel the video call: the appointment no longer takes place on one."""
    if appointment.meeting_id is not None:
        request_cancel(appointment.meeting_id)
    appointment.meeting = None
    appointment.personal_meeting_url = appointment.personal_meeting_note = ""


def _hosting(host: StaffMember) -> Hosting:
    hosting = hosting_of([host])[host.pk]
    if not hosting.can_host:
        raise StaffUnavailable(hosting.problem)
    return hosting


def _copy_personal_link(appointment: Appointment, hosting: Hosting) -> bool:
    appointment.personal_meeting_url = hosting.personal_url
    appointment.personal_meeting_note = hosting.personal_note
    return bool(hosting.personal_url)
