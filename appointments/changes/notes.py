"""Internal notes and client notes of an appointment."""

from __future__ import annotations

from hashlib import sha256

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.booking_rules.errors import ChangedMeanwhile
from appointments.booking_rules.locks import lock_appointment, lock_staff
from appointments.models import Appointment, AppointmentEventKind, BookedThrough
from appointments.timeline import Fact, last_change, record_event
from staff.models import StaffMember


def notes_fingerprint(appointment: Appointment) -> str:
    """Return a hash of both notes, which reveals neither."""
    return sha256(f"{appointment.client_note}\0{appointment.internal_note}".encode()).hexdigest()[:16]


def write_notes(
    appointment: Appointment, *, client_note: str, internal_note: str, actor: StaffMember, seen: str
) -> Appointment:
    """Replace both notes. `seen` is the `notes_fingerprint` of the notes on the writer's page.

    The version stays, as nothing else changes. Raises ChangedMeanwhile if a colleague has changed the notes.
    """
    with transaction.atomic():
        lock_staff(appointment.staff)
        current = lock_appointment(appointment, actor)
        if (current.client_note, current.internal_note) == (client_note, internal_note):
            return current
        if notes_fingerprint(current) != seen:
            raise ChangedMeanwhile(_conflict_sentence(current))
        current.client_note, current.internal_note = client_note, internal_note
        current.save(update_fields=["client_note", "internal_note"])
        record_event(current, Fact(AppointmentEventKind.NOTES_CHANGED), actor=actor, through=BookedThrough.SCHEDULE)
        return current


def _conflict_sentence(appointment: Appointment) -> str:
    change = last_change(appointment)
    name = change.actor.name if change and change.actor else _("Someone")
    return _(
        "%(name)s changed the notes meanwhile. Yours are kept here: compare them with theirs, then save again."
    ) % {"name": name}
