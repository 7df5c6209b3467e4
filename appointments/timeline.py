"""What happened to an appointment, line by line."""

from __future__ import annotations

from appointments.models import Appointment, AppointmentEvent
from staff.models import StaffMember


def note(
    appointment: Appointment, text: str, *, actor: StaffMember | None = None, through: str = ""
) -> AppointmentEvent:
    """Add a line to the appointment's timeline."""
    return AppointmentEvent.objects.create(
        appointment=appointment, actor=actor, through=through, text=text[:500]
    )
