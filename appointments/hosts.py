"""The video side of an appointment: a meeting of its own, or the personal link of somebody who chose that."""

from __future__ import annotations

from appointments.checks import check_can_host
from appointments.models import Appointment
from integrations.hosting import hosting_of
from integrations.meetings import ask_for_meeting


def arrange_video(appointment: Appointment) -> None:
    """Ask for a meeting of its own, or copy the personal link of somebody who chose that."""
    hosting = hosting_of([appointment.staff])[appointment.staff.pk]
    check_can_host(hosting)
    if hosting.personal_url:
        appointment.personal_meeting_url = hosting.personal_url
        return
    # Clients see the subject; it names nobody, as links get forwarded.
    subject = f"{appointment.service.name}, {appointment.organization.name}"
    appointment.meeting = ask_for_meeting(
        host=appointment.staff,
        hosting=hosting,
        subject=subject[:255],
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
    )
