"""Another time, length or staff member for an appointment: one transaction, which locks and then looks again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments.availability.calendars import Durations
from appointments.booking_rules.errors import BookingError
from appointments.booking_rules.locks import check_version, lock_appointment, lock_people
from appointments.booking_rules.retry import settle
from appointments.booking_rules.validation import (
    SlotRequest,
    check_active,
    check_assigned,
    check_changeable,
    check_same_organization,
    check_time,
    clock,
    set_times,
)
from appointments.models import Appointment, BookedThrough, NotificationKind, Status
from appointments.notifications.before_after import snapshot
from appointments.notifications.outbox import notify_all
from appointments.timeline import note
from appointments.video.meeting import VIDEO_FIELDS, reassign_video
from integrations.meetings.requests import request_move
from services.models import MeetingMethod
from staff.models import StaffMember

# Staff also move somebody who stands at the desk already; a client moves only what nobody has touched yet.
MOVABLE = (Status.CONFIRMED, Status.ARRIVED)
MOVABLE_BY_CLIENT = (Status.CONFIRMED,)
LONGEST = timedelta(hours=24)


def move_appointment(
    appointment: Appointment,
    *,
    starts_at: datetime,
    actor: StaffMember | None,
    through: str,
    ends_at: datetime | None = None,
    staff: StaffMember | None = None,
    outside_hours: bool = False,
    version: int | None = None,
) -> Appointment:
    """Give the appointment another time, and perhaps another end or staff member; return it as it is now.

    Without `ends_at` the length stays; with it, the service must allow lengths of its own. The link stays wherever its
    organiser does; else the join page leads to a new one. What it is already changes nothing and tells nobody. Somebody
    who can no longer host video still moves what is booked. `version` is the one that the page had which asks.
    Raises BookingError, or TimeTaken with the next free times.
    """
    check_same_organization(appointment.organization, {"staff": staff, "": actor})
    starts_at = starts_at.replace(second=0, microsecond=0)
    wish = SlotRequest(
        service=appointment.service,
        staff=staff or appointment.staff,
        starts_at=starts_at,
        lengths=_lengths(appointment, starts_at, ends_at),
        through=BookedThrough(through),
        location=appointment.location,
        outside_hours=outside_hours,
        ignoring=appointment,
    )

    def attempt() -> Appointment:
        people = lock_people(appointment.staff, wish.staff)
        current = lock_appointment(appointment, actor)
        check_changeable(current, wish.through)
        locked = replace(
            wish, staff=people[wish.staff.pk], lengths=_lengths(current, starts_at, ends_at), ignoring=current
        )
        if _is_so_already(current, locked):
            return current
        check_version(current, version)
        _check_movable(current, locked)
        check_time(locked)
        return _move(current, locked, actor)

    return settle(attempt, wish)


def reassign_appointment(
    appointment: Appointment,
    *,
    staff: StaffMember,
    actor: StaffMember | None,
    through: str,
    outside_hours: bool = False,
    version: int | None = None,
) -> Appointment:
    """Another staff member takes the appointment over, at the same time; see `move_appointment`."""
    return move_appointment(
        appointment,
        starts_at=appointment.starts_at,
        staff=staff,
        actor=actor,
        through=through,
        outside_hours=outside_hours,
        version=version,
    )


def is_movable(appointment: Appointment) -> bool:
    """Whether staff can give the appointment another time or staff member, as far as its status goes."""
    return appointment.status in MOVABLE


def _lengths(appointment: Appointment, starts_at: datetime, ends_at: datetime | None) -> Durations:
    """The lengths as booked, or up to another end. Raises BookingError where that end makes no sense."""
    lengths = Durations.of_appointment(appointment)
    if ends_at is None:
        return lengths
    duration = ends_at.replace(second=0, microsecond=0) - starts_at
    if int(duration.total_seconds()) == lengths.duration:
        return lengths
    if not appointment.service.adjustable_length:
        raise BookingError(
            _("The length of “%(service)s” is fixed. An admin can change that under Services.")
            % {"service": appointment.service.name}
        )
    if not timedelta(0) < duration <= LONGEST:
        raise BookingError(_("An appointment ends after it starts, and within a day. Choose another end."))
    return replace(lengths, duration=int(duration.total_seconds()))


def _is_so_already(appointment: Appointment, wish: SlotRequest) -> bool:
    desired_state = (wish.staff.pk, wish.starts_at, wish.lengths.duration)
    return desired_state == (
        appointment.staff_id,
        appointment.starts_at,
        Durations.of_appointment(appointment).duration,
    )


def _check_movable(appointment: Appointment, wish: SlotRequest) -> None:
    if appointment.status not in (MOVABLE_BY_CLIENT if wish.by_client else MOVABLE):
        raise BookingError(
            _("An appointment that is “%(status)s” cannot be moved.")
            % {"status": appointment.get_status_display()}
        )
    check_active(wish.staff)
    if wish.staff.pk != appointment.staff_id:
        check_assigned(appointment.service, wish.staff)


def _move(appointment: Appointment, wish: SlotRequest, actor: StaffMember | None) -> Appointment:
    is_reassigned = wish.staff.pk != appointment.staff_id
    is_moved = _is_so_already(appointment, replace(wish, staff=appointment.staff)) is False
    text, former, before = _words(appointment, wish), appointment.staff, snapshot(appointment)
    set_times(appointment, wish)
    if is_reassigned:
        text = f"{text} {_give_to(appointment, wish.staff)}".strip()
    elif appointment.meeting_id is not None:
        request_move(appointment.meeting_id, starts_at=appointment.starts_at, ends_at=appointment.ends_at)
    _save(appointment)
    note(appointment, text, actor=actor, through=wish.through)
    kind = _kind(moved=is_moved, reassigned=is_reassigned)
    notify_all(appointment, kind, before=before, former=former if is_reassigned else None)
    return appointment


def _give_to(appointment: Appointment, member: StaffMember) -> str:
    """Make the appointment this person's, video and all; return what happened, in words."""
    words = {"before": appointment.staff.name, "name": member.name}
    before = appointment.meeting_id
    appointment.staff = member
    if appointment.method != MeetingMethod.VIDEO:
        return _("Reassigned from %(before)s to %(name)s.") % words
    reassign_video(appointment)
    if before is not None and before == appointment.meeting_id:
        return _("Reassigned from %(before)s to %(name)s. The link stays.") % words
    return _("Reassigned from %(before)s to %(name)s, with a new link.") % words


def _save(appointment: Appointment) -> None:
    appointment.version += 1
    appointment.save(
        update_fields=["starts_at", "ends_at", "busy_from", "busy_to", "staff", "version", *VIDEO_FIELDS]
    )


def _words(appointment: Appointment, wish: SlotRequest) -> str:
    """What becomes of time and length, in sentences."""
    sentences = []
    if wish.starts_at != appointment.starts_at:
        before, when = clock(appointment.starts_at, wish.staff), clock(wish.starts_at, wish.staff)
        sentences.append(_("Moved from %(before)s to %(when)s.") % {"before": before, "when": when})
    minutes = wish.lengths.duration // 60
    if wish.lengths.duration != Durations.of_appointment(appointment).duration:
        sentences.append(
            ngettext("It takes %(minutes)s minute now.", "It takes %(minutes)s minutes now.", minutes)
            % {"minutes": minutes}
        )
    return " ".join(sentences)


def _kind(*, moved: bool, reassigned: bool) -> NotificationKind:
    if moved and reassigned:
        return NotificationKind.CHANGED
    return NotificationKind.REASSIGNED if reassigned else NotificationKind.MOVED
