"""Drag and drop on the schedule: moved at once, confirmed first, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.availability.calendars import Durations
from appointments.availability.slots import is_within_hours
from appointments.booking_rules.client_overlap import overlap_warning
from appointments.booking_rules.closing_reason import closed_day_at
from appointments.booking_rules.limits import exceeds_daily_limit
from appointments.booking_rules.validation import SlotRequest
from appointments.changes.move import move_appointment
from appointments.models import Appointment, BookedThrough
from appointments.time_zones import time_range
from services.models import MeetingMethod
from staff.models import StaffMember


@dataclass(frozen=True)
class DropTarget:
    """Staff member and time on which the appointment was dropped. Without `ends_at` its length stays."""

    staff: StaffMember
    starts_at: datetime
    ends_at: datetime | None
    version: int | None


def drop_appointment(appointment: Appointment, drop: DropTarget, actor: StaffMember) -> Appointment:
    """Move the appointment to the target, also outside working hours, as the user has seen them.

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


def confirmation_lines(appointment: Appointment, drop: DropTarget, actor: StaffMember) -> list[str]:
    """Return the lines of a confirmation, the question first; none if the move needs no confirmation.

    The move is tried and rolled back, so that an impossible move is refused before the user confirms it. Raises the
    errors of `drop_appointment`.
    """
    with transaction.atomic():
        moved = drop_appointment(appointment, drop, actor)
        transaction.set_rollback(True)
    if moved.version == appointment.version:
        return []
    warnings = _link_notice(appointment, moved)
    times = (moved.starts_at, moved.ends_at)
    if not is_within_hours(moved.staff, *times, method=moved.method, location=moved.location):
        warnings.insert(0, _outside_hours_text(moved))
    if _exceeds_limit(appointment, moved):
        params = {"name": moved.staff.name, "service": moved.service.name}
        warnings.insert(0, _("%(name)s then has more appointments for “%(service)s” that day than the limit.") % params)
    if overlap := overlap_warning(moved, actor):
        warnings.insert(0, overlap)
    if moved.client.email:
        warnings.insert(0, _("We will email %(client)s.") % {"client": moved.client.name})
    if not warnings:
        return []
    return [
        _("Move the appointment of %(client)s?") % {"client": appointment.client.name},
        _("From %(place)s") % {"place": time_and_staff(appointment)},
        _("to %(place)s.") % {"place": time_and_staff(moved)},
        *warnings,
    ]


def _outside_hours_text(moved: Appointment) -> str:
    length = moved.ends_at - moved.starts_at
    if closed := closed_day_at(moved.staff, moved.starts_at, length, moved.method, moved.location):
        return _("%(place)s · %(closing)s.") % {"place": closed.location.name, "closing": closed.text}
    return _("This is outside the working hours of %(name)s.") % {"name": moved.staff.name}


def time_and_staff(appointment: Appointment) -> str:
    """Return the time, in the current time zone, and the staff member as text."""
    start = timezone.localtime(appointment.starts_at)
    when = f"{date_format(start, 'D j M')}, {time_range(start, appointment.ends_at)}"
    return _("%(when)s with %(name)s") % {"when": when, "name": appointment.staff.name}


def _exceeds_limit(before: Appointment, moved: Appointment) -> bool:
    request = SlotRequest(
        service=moved.service,
        staff=moved.staff,
        starts_at=moved.starts_at,
        durations=Durations.of_appointment(moved),
        through=BookedThrough.SCHEDULE,
        location=moved.location,
        ignoring=before,
    )
    limit = moved.service.most_per_person_and_day
    return limit is not None and exceeds_daily_limit(request, limit)


def _link_notice(before: Appointment, moved: Appointment) -> list[str]:
    if moved.method != MeetingMethod.VIDEO or moved.staff_id == before.staff_id:
        return []
    if moved.personal_meeting_url:
        params = {"name": moved.staff.name, "address": moved.personal_meeting_url}
        named = _("The call takes place on the personal link of %(name)s, %(address)s.") % params
        return [*filter(None, [named, moved.personal_meeting_note])]
    if moved.meeting_id == before.meeting_id:
        return [_("The video meeting and its link stay the same.")]
    return [_("A new video meeting is created; the link that the client has leads to it.")]
