"""Other appointments of a client at the same time. Staff are warned, and may book anyway."""

from __future__ import annotations

from django.utils.translation import gettext as _

from appointments.booking_rules.errors import BookingError
from appointments.labels import list_appointments
from appointments.models import Appointment
from staff.models import StaffMember


class ClientBusy(BookingError):
    """The client has another appointment at this time, and the user hasn't confirmed that this is right."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "client_busy_anyway")


def check_client_is_free(appointment: Appointment, actor: StaffMember | None) -> None:
    """Check that the client of an appointment, saved or not, has no other one at its time. Raises ClientBusy."""
    if sentence := overlap_warning(appointment, actor):
        raise ClientBusy(sentence)


def overlap_warning(appointment: Appointment, actor: StaffMember | None) -> str:
    """Return a sentence about the client's other appointments at this time, in the current time zone, or "".

    It names only appointments that the actor may open.
    """
    others = list(Appointment.objects.overlapping(appointment).select_related("service", "staff"))
    if not others:
        return ""
    params = {"name": appointment.client.name, "others": list_appointments(others)}
    if actor is None or not actor.can_schedule:
        return _("%(name)s has another appointment at this time.") % params
    return _("%(name)s has another appointment at this time: %(others)s.") % params
