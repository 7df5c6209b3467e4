"""Locks that every change of an appointment takes, in one order: staff members by pk, then the appointment."""

from __future__ import annotations

from django.utils.translation import gettext as _

from appointments.checks import check_same_organization
from appointments.models import Appointment
from appointments.refusals import BookingRefused
from staff.models import StaffMember


def lock_staff(staff: StaffMember) -> StaffMember:
    """Lock the staff member's row, as edits of hours and time off do, and return it as it is now."""
    locked = (
        StaffMember.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organization", "location")
        .filter(pk=staff.pk)
        .first()
    )
    if locked is None:
        raise BookingRefused(_("This staff member no longer exists. Choose somebody else."), "staff")
    return locked


def lock_appointment(appointment: Appointment, actor: StaffMember | None) -> Appointment:
    """The appointment as it is now, locked; only for its own organisation."""
    check_same_organization(appointment.organization, {"": actor})
    return (
        Appointment.objects.select_for_update(no_key=True, of=("self",))
        .select_related(
            "organization", "service", "staff__organization", "staff__location", "client", "location"
        )
        .get(pk=appointment.pk)
    )
