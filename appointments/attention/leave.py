"""Leave an appointment that needs attention as it is, until something changes again."""

from __future__ import annotations

from django.db import transaction

from appointments.attention.conditions import cause_column
from appointments.booking_rules.locks import lock_appointment, lock_staff
from appointments.models import Appointment, AppointmentEventKind, BookedThrough
from appointments.timeline import Fact, record_event
from staff.models import StaffMember


def leave_as_it_is(appointment: Appointment, cause: str, *, actor: StaffMember) -> bool:
    """Leave the appointment for the cause that the actor's page showed, and record who did.

    Return False, and change nothing, if that isn't the present cause. The version stays, as nothing else changes.
    """
    with transaction.atomic():
        lock_staff(appointment.staff)
        current = lock_appointment(appointment, actor)
        present = Appointment.objects.annotate(present=cause_column()).values_list("present", flat=True)
        if not cause or cause != present.get(pk=current.pk):
            return False
        current.left_cause = cause
        current.save(update_fields=["left_cause"])
        record_event(current, Fact(AppointmentEventKind.LEFT_AS_IT_IS), actor=actor, through=BookedThrough.SCHEDULE)
        return True
