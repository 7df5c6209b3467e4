"""Locks that every change of an appointment takes, in one order: staff members by pk, then the appointment."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from appointments.booking_rules.errors import BookingError
from appointments.booking_rules.validation import Provision, check_same_organization
from appointments.models import Appointment, BookedThrough
from appointments.timeline import last_change
from services.models import Service
from staff.models import Organization, StaffMember
from staff.together import fetch_together


def lock_staff(staff: StaffMember) -> StaffMember:
    """Lock the staff member's row, as edits of hours and time off do, and return it as it is now."""
    return lock_people(staff)[staff.pk]


def lock_provider(organization: Organization, staff: StaffMember, service: Service, method: int) -> Provision:
    """`lock_staff` of the organisation, and what of a service the person offers, in one statement.

    The location, where it is still the same, is the one that came with `staff`.
    """
    wanted = {"staff": staff.pk, "service": service.pk, "method": method}
    for member, provides, offered_to in fetch_together({"staff": StaffMember}, _LOCK_PROVIDER, wanted):
        member.organization = organization
        if member.location_id == staff.location_id:
            member.location = staff.location
        return Provision(member, provides, offered_to)
    raise _nobody()


_LOCK_PROVIDER: Final = """,
       EXISTS (SELECT FROM services_serviceassignment WHERE service_id = %(service)s AND staff_id = staff.id),
       (SELECT offered_to FROM services_meetingmethodoffer WHERE service_id = %(service)s AND method = %(method)s)
  FROM staff_staffmember AS staff WHERE id = %(staff)s FOR NO KEY UPDATE
"""


def lock_people(*people: StaffMember) -> dict[int, StaffMember]:
    """Lock these people's rows in the order of their pk, and return them as they are now, by pk."""
    locked = (
        StaffMember.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organization", "location")
        .filter(pk__in={member.pk for member in people})
        .order_by("pk")
    )
    by_pk = {member.pk: member for member in locked}
    if any(member.pk not in by_pk for member in people):
        raise _nobody()
    return by_pk


def _nobody() -> BookingError:
    return BookingError(_("This staff member no longer exists. Choose somebody else."), "staff")


def lock_appointment(appointment: Appointment, actor: StaffMember | None) -> Appointment:
    """The appointment as it is now, locked, after its staff member was; only for its own organisation.

    Raises BookingError where it has another staff member by now than the one who is locked.
    """
    check_same_organization(appointment.organization, {"": actor})
    current = (
        Appointment.objects.select_for_update(no_key=True, of=("self",))
        .select_related(
            "organization",
            "service",
            "staff__organization",
            "staff__location",
            "client",
            "location",
            "meeting",
        )
        .get(pk=appointment.pk)
    )
    if current.staff_id != appointment.staff_id:
        raise BookingError(_what_happened_meanwhile(current))
    return current


def check_version(current: Appointment, version: int | None) -> None:
    """Nobody overwrites what they have not seen: `version` is the one of the page that asks, None for whoever has none.

    Raises BookingError, in words that say what happened meanwhile and who did it.
    """
    if version not in (None, current.version):
        raise BookingError(_what_happened_meanwhile(current))


def _what_happened_meanwhile(appointment: Appointment) -> str:
    change = last_change(appointment)
    if change is None:
        return _("This appointment was changed meanwhile. Look at it again.")
    words = {"name": change.actor.name if change.actor else "", "what": change.text}
    if change.actor:
        return _("%(name)s changed this appointment meanwhile: %(what)s Look at it again.") % words
    if change.through == BookedThrough.CLIENT_VIEW:
        return _("The client changed this appointment meanwhile: %(what)s Look at it again.") % words
    return _("This appointment was changed meanwhile: %(what)s Look at it again.") % words
