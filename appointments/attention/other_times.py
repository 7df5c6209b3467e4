"""Staff members and times to which a client can move an appointment."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.attention.colleagues import Colleagues, free_then
from appointments.availability.calendars import Durations
from appointments.availability.next_free import next_free_of_any_staff
from appointments.booking_rules.errors import StaffUnavailable, TimeTaken, TimeUnavailable
from appointments.changes.move import move_appointment
from appointments.models import Appointment, BookedThrough
from staff.models import StaffMember


def needs_colleague(appointment: Appointment) -> bool:
    """Return whether the staff member will have left by the time of the appointment."""
    return appointment.staff.has_left_at(appointment.starts_at)


def people_to_move_to(appointment: Appointment) -> list[StaffMember]:
    """Return the staff whose times the client can choose: the present one and, if they leave, colleagues."""
    present = [appointment.staff] if appointment.staff.is_active else []
    return [*present, *Colleagues().of(appointment)] if needs_colleague(appointment) else present


def other_times(appointment: Appointment, after: datetime, how_many: int) -> list[datetime]:
    """Return the next times from `after` on that the client can choose, in UTC.

    The appointment's own time is one of them only with a colleague.
    """
    found = next_free_of_any_staff(
        appointment.service,
        people_to_move_to(appointment),
        after,
        how_many,
        durations=Durations.of_appointment(appointment),
        for_clients=True,
        method=appointment.method,
        location=appointment.location,
        ignoring=appointment,
    )
    if needs_colleague(appointment):
        return found
    return [start for start in found if start != appointment.starts_at]


def has_other_time(appointment: Appointment) -> bool:
    """Return whether the client can choose another time."""
    return bool(other_times(appointment, timezone.now(), 2))


def move_for_client(appointment: Appointment, starts_at: datetime) -> Appointment:
    """Move to a time that the client chose. If the staff member leaves, a free colleague takes the appointment.

    Raises BookingError.
    """
    if not needs_colleague(appointment):
        return move_appointment(appointment, starts_at=starts_at, actor=None, through=BookedThrough.CLIENT_VIEW)
    for member in free_then(appointment, people_to_move_to(appointment), starts_at):
        try:
            return move_appointment(
                appointment, starts_at=starts_at, staff=member, actor=None, through=BookedThrough.CLIENT_VIEW
            )
        except (TimeUnavailable, StaffUnavailable):
            # Not free any more, or can't host now. Any other error would be the same with everyone.
            continue
    raise TimeTaken(_("That time was just taken. Choose another one."))
