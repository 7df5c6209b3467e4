"""Status changes of an appointment: the table of allowed changes, and the only code that makes them."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.booking_rules.errors import BookingError
from appointments.booking_rules.locks import check_version, lock_appointment, lock_staff
from appointments.booking_rules.lost_race import is_time_taken
from appointments.booking_rules.validation import check_changeable, check_client_may_cancel
from appointments.models import Appointment, AppointmentEventKind, BookedThrough, NotificationKind, Status
from appointments.notifications.outbox import notify_all
from appointments.timeline import Fact, record_event
from integrations.meetings.requests import request_cancel
from staff.models import StaffMember

# Statuses that may follow each status.
ALLOWED: dict[str, frozenset[Status]] = {
    Status.CONFIRMED: frozenset({Status.ARRIVED, Status.IN_PROGRESS, Status.NO_SHOW, Status.CANCELLED}),
    Status.ARRIVED: frozenset({Status.CONFIRMED, Status.IN_PROGRESS, Status.NO_SHOW, Status.CANCELLED}),
    Status.IN_PROGRESS: frozenset({Status.ARRIVED, Status.SERVED}),
    Status.SERVED: frozenset({Status.IN_PROGRESS}),
    Status.NO_SHOW: frozenset({Status.CONFIRMED, Status.ARRIVED}),
    Status.CANCELLED: frozenset(),
}
# Status to which an undo returns.
PREVIOUS_STATUS: dict[str, Status] = {
    Status.ARRIVED: Status.CONFIRMED,
    Status.IN_PROGRESS: Status.ARRIVED,
    Status.SERVED: Status.IN_PROGRESS,
    Status.NO_SHOW: Status.CONFIRMED,
}
#: Statuses that a user can set, in order.
FORWARD = (Status.ARRIVED, Status.IN_PROGRESS, Status.SERVED, Status.NO_SHOW)
_EVENT_KINDS = {
    Status.CONFIRMED: AppointmentEventKind.CONFIRMED,
    Status.ARRIVED: AppointmentEventKind.ARRIVED,
    Status.IN_PROGRESS: AppointmentEventKind.IN_PROGRESS,
    Status.SERVED: AppointmentEventKind.SERVED,
    Status.NO_SHOW: AppointmentEventKind.NO_SHOW,
}


def next_statuses(appointment: Appointment) -> list[Status]:
    """Return the statuses that may follow now, in order, without cancelling and undo."""
    possible = ALLOWED[appointment.status] - {PREVIOUS_STATUS.get(appointment.status)}
    return [status for status in FORWARD if status in possible and not _too_early(appointment, status)]


def change_status(
    appointment: Appointment, status: Status, *, actor: StaffMember, through: str, version: int | None = None
) -> Appointment:
    """Change the status; a repeated change to the present status changes nothing.

    Raises BookingError if `ALLOWED` doesn't list the change, if it is too early, or if another appointment has taken
    a no-show's time.
    """
    try:
        with transaction.atomic():
            lock_staff(appointment.staff)
            current = lock_appointment(appointment, actor)
            if current.status != status:
                check_version(current, version)
                _check_not_too_early(current, status)
                _set_status(current, status)
                record_event(current, Fact(_EVENT_KINDS[status]), actor=actor, through=through)
            return current
    except IntegrityError as error:
        if not is_time_taken(error):
            raise
    raise BookingError(
        _("%(name)s now has another appointment at that time. Book a new one.") % {"name": appointment.staff.name}
    )


def undo_status(
    appointment: Appointment, *, actor: StaffMember, through: str, version: int | None = None
) -> Appointment:
    """Undo the last status change. Raises the errors of `change_status`."""
    previous = PREVIOUS_STATUS.get(appointment.status)
    if previous is None:
        raise BookingError(_("There is nothing to undo."))
    return change_status(appointment, previous, actor=actor, through=through, version=version)


def cancel_appointment(
    appointment: Appointment,
    *,
    actor: StaffMember | None,
    through: str,
    reason: str = "",
    version: int | None = None,
) -> Appointment:
    """Cancel the appointment and its meeting, and free its time; return its current state.

    The staff member reads `reason`, of which 300 characters are kept. So does the client if staff gave it.
    Raises BookingError if the appointment is already cancelled or over.
    """
    with transaction.atomic():
        lock_staff(appointment.staff)
        current = lock_appointment(appointment, actor)
        check_changeable(current, BookedThrough(through))
        check_client_may_cancel(current, BookedThrough(through))
        check_version(current, version)
        if through == BookedThrough.CLIENT_VIEW and current.status == Status.ARRIVED:
            raise BookingError(_("This appointment has begun. Please call us."))
        current.cancel_reason = " ".join(reason.split())[:300]
        _set_status(current, Status.CANCELLED, "cancel_reason")
        if current.meeting_id is not None:
            request_cancel(current.meeting_id)
        fact = Fact(AppointmentEventKind.CANCELLED)
        if current.cancel_reason:
            fact = Fact(AppointmentEventKind.CANCELLED_WITH_REASON, {"reason": current.cancel_reason})
        record_event(current, fact, actor=actor, through=through)
        notify_all(current, NotificationKind.CANCELLED)
        return current


def _too_early(appointment: Appointment, status: Status) -> bool:
    """Return whether it is too early: before the start for a no-show, before the day for other statuses."""
    now = timezone.now()
    if status == Status.NO_SHOW:
        return appointment.starts_at > now
    zone = appointment.staff.zone
    return appointment.starts_at.astimezone(zone).date() > now.astimezone(zone).date()


def _check_not_too_early(appointment: Appointment, status: Status) -> None:
    if status == PREVIOUS_STATUS.get(appointment.status) or not _too_early(appointment, status):
        return
    if status == Status.NO_SHOW:
        raise BookingError(_("This appointment has not begun yet. Mark a no-show after its start."))
    raise BookingError(_("This appointment is not today. Move it first."))


def _set_status(appointment: Appointment, status: Status, *fields: str) -> None:
    """Change the status if `ALLOWED` lists the change. No other code changes a status."""
    if status not in ALLOWED[appointment.status]:
        raise BookingError(
            _("An appointment that is “%(before)s” cannot become “%(after)s”.")
            % {"before": appointment.get_status_display(), "after": status.label}
        )
    appointment.status = status
    appointment.version += 1
    appointment.save(update_fields=["status", "version", *fields])
