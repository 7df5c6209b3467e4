"""Move or reassign an appointment in one transaction, which locks and then checks the rules again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _

from appointments.availability.calendars import Durations
from appointments.booking_rules.client_overlap import check_client_is_free
from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.booking_rules.limits import (
    check_client_limits,
    check_daily_limit,
    lock_service_with_client_limits,
)
from appointments.booking_rules.locks import check_version, lock_appointment, lock_people
from appointments.booking_rules.lost_race import run_with_retry
from appointments.booking_rules.validation import (
    SlotRequest,
    check_active,
    check_assigned,
    check_changeable,
    check_client_may_move,
    check_same_organization,
    check_time,
    set_times,
    time_taken,
)
from appointments.models import (
    Appointment,
    AppointmentEventKind,
    BookedThrough,
    NotificationKind,
    Status,
    new_token,
)
from appointments.notifications.before_after import snapshot
from appointments.notifications.outbox import notify_all
from appointments.timeline import Fact, local_time, record_event
from appointments.video.meeting import VIDEO_FIELDS, reassign_video
from integrations.meetings.requests import request_move
from services.models import MeetingMethod
from staff.models import StaffMember

# Staff also move an appointment whose client has arrived.
MOVABLE = (Status.CONFIRMED, Status.ARRIVED)
MOVABLE_BY_CLIENT = (Status.CONFIRMED,)
LONGEST = timedelta(hours=24)
_CHANGED_FIELDS = (
    *("starts_at", "ends_at", "busy_from", "busy_to", "outside_hours_since", "left_cause"),
    *("staff", "staff_join_token", "version"),
    *("local_start", "local_zone", "moved_by_zone_rules"),
)


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
    client_must_be_free: bool = False,
) -> Appointment:
    """Change the start, and optionally the end or the staff member; return the appointment's current state.

    Without `ends_at` the length stays; another length requires a service with adjustable length. The link stays if
    its organiser stays; otherwise the join page leads to a new one. A move to the present time and staff member
    changes nothing and notifies no one, unless new time zone rules gave it another local time. Staff who can no longer
    host video can still move booked appointments.
    `version` is the appointment's version on the user's page. With `client_must_be_free`, another appointment of the
    client at the new time raises ClientBusy. Raises BookingError, or TimeTaken with the next free times.
    """
    check_same_organization(appointment.organization, {"staff": staff, "": actor})
    starts_at = starts_at.astimezone(UTC).replace(second=0, microsecond=0)
    request = SlotRequest(
        service=appointment.service,
        staff=staff or appointment.staff,
        starts_at=starts_at,
        durations=_durations(appointment, starts_at, ends_at),
        through=BookedThrough(through),
        method=appointment.method,
        location=appointment.location,
        outside_hours=outside_hours,
        ignoring=appointment,
    )
    try:
        return run_with_retry(lambda: _attempt_move(appointment, request, ends_at, actor, version, client_must_be_free))
    except TimeTaken:
        pass
    # Read after the rollback, when the winner's appointment is visible.
    raise time_taken(request)


def _attempt_move(
    appointment: Appointment,
    request: SlotRequest,
    ends_at: datetime | None,
    actor: StaffMember | None,
    version: int | None,
    client_must_be_free: bool,
) -> Appointment:
    lock_service_with_client_limits(request.service, request.through)
    people = lock_people(appointment.staff, request.staff)
    current = lock_appointment(appointment, actor)
    check_changeable(current, request.through)
    locked = replace(
        request,
        staff=people[request.staff.pk],
        durations=_durations(current, request.starts_at, ends_at),
        ignoring=current,
    )
    if _is_unchanged(current, locked) and not current.moved_by_zone_rules:
        return current
    check_version(current, version)
    check_client_may_move(current, request.through)
    _check_movable(current, locked)
    check_client_limits(locked, current.client)
    check_time(locked)
    check_daily_limit(locked)
    moved = _move(current, locked, actor)
    if client_must_be_free:
        check_client_is_free(moved, actor)
    return moved


def reassign_appointment(
    appointment: Appointment,
    *,
    staff: StaffMember,
    actor: StaffMember | None,
    through: str,
    outside_hours: bool = False,
    version: int | None = None,
) -> Appointment:
    """Reassign the appointment to another staff member at the same time; see `move_appointment`."""
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
    """Return whether the appointment's status allows staff to move or reassign it."""
    return appointment.status in MOVABLE


def _durations(appointment: Appointment, starts_at: datetime, ends_at: datetime | None) -> Durations:
    """Return the durations as booked, or up to another end. Raises BookingError if that end is not allowed."""
    durations = Durations.of_appointment(appointment)
    if ends_at is None:
        return durations
    duration = ends_at.replace(second=0, microsecond=0) - starts_at
    if int(duration.total_seconds()) == durations.duration:
        return durations
    if not appointment.service.adjustable_length:
        raise BookingError(
            _("The length of “%(service)s” is fixed. An admin can change that under Services.")
            % {"service": appointment.service.name}
        )
    if not timedelta(0) < duration <= LONGEST:
        raise BookingError(_("An appointment ends after it starts, and within a day. Choose another end."))
    return replace(durations, duration=int(duration.total_seconds()))


def _is_unchanged(appointment: Appointment, request: SlotRequest) -> bool:
    requested = (request.staff.pk, request.starts_at, request.durations.duration)
    return requested == (
        appointment.staff_id,
        appointment.starts_at,
        Durations.of_appointment(appointment).duration,
    )


def _check_movable(appointment: Appointment, request: SlotRequest) -> None:
    if appointment.status not in (MOVABLE_BY_CLIENT if request.by_client else MOVABLE):
        raise BookingError(
            _("An appointment that is “%(status)s” cannot be moved.") % {"status": appointment.get_status_display()}
        )
    check_active(request.staff)
    if request.staff.pk != appointment.staff_id:
        check_assigned(appointment.service, request.staff)


def _move(appointment: Appointment, request: SlotRequest, actor: StaffMember | None) -> Appointment:
    is_reassigned = request.staff.pk != appointment.staff_id
    facts, previous, before = _time_changes(appointment, request), appointment.staff, snapshot(appointment)
    is_moved = bool(facts)
    set_times(appointment, request)
    if is_reassigned:
        facts.append(_reassign(appointment, request.staff))
    elif appointment.meeting_id is not None:
        request_move(appointment.meeting_id, starts_at=appointment.starts_at, ends_at=appointment.ends_at)
    # Without a decision about the time, new time zone rules still need one.
    if is_moved or not appointment.moved_by_zone_rules:
        appointment.anchor()
    appointment.version += 1
    appointment.save(update_fields=[*_CHANGED_FIELDS, *VIDEO_FIELDS])
    record_event(appointment, *facts, actor=actor, through=request.through)
    is_kept = any(fact.kind == AppointmentEventKind.KEPT_LOCAL_TIME for fact in facts)
    kind = NotificationKind.CHANGED if is_kept else _notification_kind(moved=is_moved, reassigned=is_reassigned)
    notify_all(appointment, kind, before=before, former=previous if is_reassigned else None)
    return appointment


def _reassign(appointment: Appointment, member: StaffMember) -> Fact:
    """Reassign the appointment and its video call, without saving. The join link of the previous person ends."""
    names = {"before": appointment.staff.name, "name": member.name}
    previous_meeting = appointment.meeting_id
    appointment.staff = member
    appointment.staff_join_token = new_token()
    if appointment.method != MeetingMethod.VIDEO:
        return Fact(AppointmentEventKind.REASSIGNED, names)
    reassign_video(appointment)
    if previous_meeting is not None and previous_meeting == appointment.meeting_id:
        return Fact(AppointmentEventKind.REASSIGNED_SAME_LINK, names)
    return Fact(AppointmentEventKind.REASSIGNED_NEW_LINK, names)


def _time_changes(appointment: Appointment, request: SlotRequest) -> list[Fact]:
    """Return how the requested start and length differ from the appointment's."""
    facts = []
    zone = appointment.zone_for(request.staff)
    when = {"when": local_time(request.starts_at, zone)}
    if appointment.moved_by_zone_rules and request.starts_at == appointment.promised_start:
        facts.append(Fact(AppointmentEventKind.KEPT_LOCAL_TIME, when))
    elif appointment.moved_by_zone_rules and _is_unchanged(appointment, request):
        facts.append(Fact(AppointmentEventKind.MOVED_BY_ZONE_RULES, when))
    elif request.starts_at != appointment.starts_at:
        facts.append(Fact(AppointmentEventKind.MOVED, {"before": local_time(appointment.starts_at, zone), **when}))
    if request.durations.duration != Durations.of_appointment(appointment).duration:
        minutes = request.durations.duration // 60
        facts.append(Fact(AppointmentEventKind.LENGTH_CHANGED, {"minutes": minutes}))
    return facts


def _notification_kind(*, moved: bool, reassigned: bool) -> NotificationKind:
    if moved and reassigned:
        return NotificationKind.CHANGED
    return NotificationKind.REASSIGNED if reassigned else NotificationKind.MOVED
