"""A drop on the schedule: moved at once, asked about first, or refused; never half of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.availability.slots import is_within_hours
from appointments.changes.move import move_appointment
from appointments.models import Appointment, BookedThrough
from services.models import MeetingMethod
from staff.models import StaffMember


@dataclass(frozen=True)
class DropTarget:
    """Where somebody let an appointment go. Without `ends_at` its length stays."""

    staff: StaffMember
    starts_at: datetime
    ends_at: datetime | None
    version: int | None


def drop_appointment(appointment: Appointment, drop: DropTarget, actor: StaffMember) -> Appointment:
    """Move the appointment there, outside working hours, too: whoever drops it has seen where they are.

    Raises BookingError, or TimeTaken with the next free times.
    """
    return move_appointment(
        appointment,
        starts_at=drop.starts_at,
        ends_at=drop.ends_at,
        staff=drop.staff,
        actor=actor,
        through=BookedThrough.SCHEDULE,
        outside_hours=True,
        version=drop.version,
    )


def what_to_ask(appointment: Appointment, drop: DropTarget, actor: StaffMember) -> list[str]:
    """What whoever drops it should know before: sentences, the question first; none where nothing needs asking.

    The move is tried and taken back, so that what cannot be is refused before anybody is asked. Raises as
    `drop_appointment`.
    """
    with transaction.atomic():
        moved = drop_appointment(appointment, drop, actor)
        transaction.set_rollback(True)
    if moved.version == appointment.version:
        return []
    warnings = [*_told(moved), *_outside_hours(moved), *_link(appointment, moved)]
    return [*_question(appointment, moved), *warnings] if warnings else []


def where_it_is(appointment: Appointment) -> str:
    """Time and staff member in words, by the clock of whoever reads it."""
    when = date_format(timezone.localtime(appointment.starts_at), "D j M, H:i")
    until = date_format(timezone.localtime(appointment.ends_at), "H:i")
    return _("%(when)s–%(until)s with %(name)s") % {
        "when": when,
        "until": until,
        "name": appointment.staff.name,
    }


def _question(before: Appointment, moved: Appointment) -> list[str]:
    return [
        _("Move the appointment of %(client)s?") % {"client": before.client.name},
        _("From %(place)s") % {"place": where_it_is(before)},
        _("to %(place)s.") % {"place": where_it_is(moved)},
    ]


def _told(moved: Appointment) -> list[str]:
    if not moved.client.email:
        return []
    return [_("%(client)s is told by mail.") % {"client": moved.client.name}]


def _outside_hours(moved: Appointment) -> list[str]:
    if is_within_hours(moved.staff, moved.starts_at, moved.ends_at, location=moved.location):
        return []
    return [_("This is outside the working hours of %(name)s.") % {"name": moved.staff.name}]


def _link(before: Appointment, moved: Appointment) -> list[str]:
    if moved.method != MeetingMethod.VIDEO or moved.staff_id == before.staff_id:
        return []
    if moved.personal_meeting_url:
        words = {"name": moved.staff.name, "address": moved.personal_meeting_url}
        named = _("The call takes place on the personal link of %(name)s, %(address)s.") % words
        return [*filter(None, [named, moved.personal_meeting_note])]
    if moved.meeting_id == before.meeting_id:
        return [_("The Teams meeting and its link stay the same.")]
    return [_("A new Teams meeting is made; the link that the client has leads to it.")]
