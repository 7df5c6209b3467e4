"""What happened to an appointment, line by line."""

from __future__ import annotations

from appointments.models import Appointment, AppointmentEvent
from staff.models import StaffMember


def note(appointment: Appointment, text: str, *, actor: StaffMember | None = None, through: str = "") -> None:
    """Add a line to the appointment's timeline."""
    line(appointment, text, actor=actor, through=through).save(force_insert=True)


def line(
    appointment: Appointment, text: str, *, actor: StaffMember | None = None, through: str = ""
) -> AppointmentEvent:
    """A line that is stored together with its appointment."""
    return AppointmentEvent(appointment=appointment, actor=actor, through=through, text=text[:500])


def last_change(appointment: Appointment) -> AppointmentEvent | None:
    """The last line that a person caused; news of the link are none."""
    by_people = appointment.events.exclude(through="").select_related("actor")
    return by_people.order_by("-at", "-pk").first()
