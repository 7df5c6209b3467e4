"""From confirmed to served, or not: the one table of moves, and the one place that changes a status."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.checks import check_changeable
from appointments.locking import lock_appointment, lock_staff
from appointments.models import Appointment, BookedThrough, NotificationKind, Status
from appointments.notifications import tell_everybody
from appointments.refusals import BookingRefused
from appointments.timeline import note
from integrations.meetings import ask_to_cancel
from staff.models import StaffMember

# Which status may follow which. What is not here never happens.
ALLOWED: dict[str, frozenset[Status]] = {
    Status.CONFIRMED: frozenset({Status.ARRIVED, Status.IN_PROGRESS, Status.NO_SHOW, Status.CANCELLED}),
    Status.ARRIVED: frozenset({Status.IN_PROGRESS, Status.NO_SHOW, Status.CANCELLED}),
    Status.IN_PROGRESS: frozenset({Status.SERVED}),
    Status.SERVED: frozenset(),
    Status.NO_SHOW: frozenset({Status.ARRIVED}),
    Status.CANCELLED: frozenset(),
}


def cancel_appointment(appointment: Appointment, *, actor: StaffMember | None, through: str) -> Appointment:
    """Cancel the appointment, free its time, and let its meeting go; return it as it is now.

    Raises BookingRefused where it is cancelled or over already.
    """
    with transaction.atomic():
        lock_staff(appointment.staff)
        current = lock_appointment(appointment, actor)
        check_changeable(current, BookedThrough(through))
        _set_status(current, Status.CANCELLED)
        if current.meeting_id is not None:
            ask_to_cancel(current.meeting_id)
        note(current, _("Cancelled."), actor=actor, through=through)
        tell_everybody(current, NotificationKind.CANCELLED)
        return current


def _set_status(appointment: Appointment, status: Status) -> None:
    """The one place that changes a status, by the table above."""
    if status not in ALLOWED[appointment.status]:
        raise BookingRefused(
            _("An appointment that is “%(before)s” cannot become “%(after)s”.")
            % {"before": appointment.get_status_display(), "after": status.label}
        )
    appointment.status = status
    appointment.save(update_fields=["status"])
