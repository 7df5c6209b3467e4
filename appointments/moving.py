"""Another time for an appointment: one transaction, which locks the staff member and then looks again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.utils.translation import gettext as _

from appointments.availability import Lengths
from appointments.checks import TimeWish, check_active, check_changeable, check_time, clock, set_times
from appointments.locking import lock_appointment, lock_staff
from appointments.models import Appointment, BookedThrough, NotificationKind, Status
from appointments.notifications import tell_everybody
from appointments.races import settle
from appointments.refusals import BookingRefused
from appointments.timeline import note
from integrations.meetings import ask_to_move
from staff.models import StaffMember


def move_appointment(
    appointment: Appointment,
    *,
    starts_at: datetime,
    actor: StaffMember | None,
    through: str,
    outside_hours: bool = False,
) -> Appointment:
    """Give the appointment another time, with the same length, links and meeting; return it as it is now.

    The time it has already changes nothing and tells nobody. Somebody who can no longer host video still moves what
    is booked. Raises BookingRefused, or TimeTaken with the next free times.
    """
    wish = TimeWish(
        service=appointment.service,
        staff=appointment.staff,
        starts_at=starts_at.replace(second=0, microsecond=0),
        lengths=Lengths.of_appointment(appointment),
        through=BookedThrough(through),
        location=appointment.location,
        outside_hours=outside_hours,
        ignoring=appointment,
    )

    def attempt() -> Appointment:
        member, current = lock_staff(appointment.staff), lock_appointment(appointment, actor)
        check_changeable(current, wish.through)
        if current.starts_at == wish.starts_at:
            return current
        _check_movable(current)
        check_active(member)
        locked = replace(wish, staff=member, lengths=Lengths.of_appointment(current))
        check_time(locked)
        return _move(current, locked, actor)

    return settle(attempt, wish)


def _move(appointment: Appointment, wish: TimeWish, actor: StaffMember | None) -> Appointment:
    words = {
        "before": clock(appointment.starts_at, wish.staff),
        "when": clock(wish.starts_at, wish.staff),
    }
    set_times(appointment, wish)
    appointment.save(update_fields=["starts_at", "ends_at", "busy_from", "busy_to"])
    if appointment.meeting_id is not None:
        ask_to_move(appointment.meeting_id, starts_at=appointment.starts_at, ends_at=appointment.ends_at)
    note(appointment, _("Moved from %(before)s to %(when)s.") % words, actor=actor, through=wish.through)
    tell_everybody(appointment, NotificationKind.MOVED)
    return appointment


def _check_movable(appointment: Appointment) -> None:
    if appointment.status != Status.CONFIRMED:
        raise BookingRefused(
            _("An appointment that is “%(status)s” cannot be moved.")
            % {"status": appointment.get_status_display()}
        )
