"""Ask a client to choose another time. The appointment keeps its time until they do."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.booking_rules.errors import BookingError
from appointments.booking_rules.locks import check_version, lock_appointment, lock_staff
from appointments.booking_rules.validation import check_changeable
from appointments.changes.move import MOVABLE_BY_CLIENT
from appointments.models import Appointment, AppointmentEventKind, BookedThrough
from appointments.notifications.outbox import notify_other_times
from appointments.timeline import Fact, record_event
from staff.models import StaffMember


def offer_other_times(
    appointment: Appointment, *, actor: StaffMember | None, through: str, version: int | None = None
) -> Appointment:
    """Email the client a link to choose another time, and return the appointment's current state.

    Raises BookingError if the client has no email, or can't move the appointment.
    """
    with transaction.atomic():
        lock_staff(appointment.staff)
        current = lock_appointment(appointment, actor)
        check_changeable(current, BookedThrough(through))
        check_version(current, version)
        if current.status not in MOVABLE_BY_CLIENT:
            raise BookingError(_("The client can no longer move this appointment."))
        if not current.client.email:
            raise BookingError(_("The client has no email. Call them."))
        current.version += 1
        current.save(update_fields=["version"])
        record_event(current, Fact(AppointmentEventKind.TIMES_OFFERED), actor=actor, through=through)
        notify_other_times(current)
        return current
