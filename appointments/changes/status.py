"""From confirmed to served, or not: the one table of moves, and the one place that changes a status."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.booking_rules.errors import BookingError
from appointments.booking_rules.locks import check_version, lock_appointment, lock_staff
from appointments.booking_rules.retry import is_time_taken
from appointments.booking_rules.validation import check_changeable
from appointments.models import Appointment, BookedThrough, NotificationKind, Status
from appointments.notifications.outbox import notify_all
from appointments.timeline import note
from integrations.meetings.requests import request_cancel
from staff.models import StaffMember

# Which status may follow which. What is not here never happens.
ALLOWED: dict[str, frozenset[Status]] = {
    Status.CONFIRMED: frozenset({Status.ARRIVED, Status.IN_PROGRESS, Status.NO_SHOW, Status.CANCELLED}),
    Status.ARRIVED: frozenset({Status.CONFIRMED, Status.IN_PROGRESS, Status.NO_SHOW, Status.CANCELLED}),
    Status.IN_PROGRESS: frozenset({Status.ARRIVED, Status.SERVED}),
    Status.SERVED: frozenset({Status.IN_PROGRESS}),
    Status.NO_SHOW: frozenset({Status.CONFIRMED, Status.ARRIVED}),
    Status.CANCELLED: frozenset(),
}
# Where a slip of the finger leads back to.
PREVIOUS_STATUS: dict[str, Status] = {
    Status.ARRIVED: Status.CONFIRMED,
    Status.IN_PROGRESS: Status.ARRIVED,
    Status.SERVED: Status.IN_PROGRESS,
    Status.NO_SHOW: Status.CONFIRMED,
}
_FORWARD = (Status.ARRIVED, Status.IN_PROGRESS, Status.SERVED, Status.NO_SHOW)


def next_statuses(appointment: Appointment) -> list[Status]:
    """What may become of the appointment now, in the order of a day; cancelling and taking back are not among them."""
    possible = ALLOWED[appointment.status] - {PREVIOUS_STATUS.get(appointment.status)}
    return [status for status in _FORWARD if status in possible and not _too_early(appointment, status)]


def previous_status(appointment: Appointment) -> Status | None:
    """What `undo_status` would make of it; None where there is nothing to take back."""
    return PREVIOUS_STATUS.get(appointment.status)


def mark_arrived(
    appointment: Appointment, *, actor: StaffMember, through: str, version: int | None = None
) -> Appointment:
    """The client is here. Raises BookingError where that cannot be, as do the functions below."""
    return _change_status(appointment, Status.ARRIVED, actor, through, version)


def start_appointment(
    appointment: Appointment, *, actor: StaffMember, through: str, version: int | None = None
) -> Appointment:
    """The staff member begins to serve the client."""
    return _change_status(appointment, Status.IN_PROGRESS, actor, through, version)


def complete_appointment(
    appointment: Appointment, *, actor: StaffMember, through: str, version: int | None = None
) -> Appointment:
    """The client was served."""
    return _change_status(appointment, Status.SERVED, actor, through, version)


def mark_no_show(
    appointment: Appointment, *, actor: StaffMember, through: str, version: int | None = None
) -> Appointment:
    """The client did not come, which frees the time."""
    return _change_status(appointment, Status.NO_SHOW, actor, through, version)


def undo_status(
    appointment: Appointment, *, actor: StaffMember, through: str, version: int | None = None
) -> Appointment:
    """The last status was a slip: back to the one before it. A no-show's time may be somebody else's by now."""
    before = previous_status(appointment)
    if before is None:
        raise BookingError(_("There is nothing to take back."))
    return _change_status(appointment, before, actor, through, version)


def cancel_appointment(
    appointment: Appointment,
    *,
    actor: StaffMember | None,
    through: str,
    reason: str = "",
    version: int | None = None,
) -> Appointment:
    """Cancel the appointment, free its time, and let its meeting go; return it as it is now.

    `reason` (at most 300 characters are kept) is read by client and staff member. Raises BookingError where it is
    cancelled or over already.
    """
    with transaction.atomic():
        lock_staff(appointment.staff)
        current = lock_appointment(appointment, actor)
        check_changeable(current, BookedThrough(through))
        check_version(current, version)
        _check_cancellable_by(current, BookedThrough(through))
        current.cancel_reason = " ".join(reason.split())[:300]
        _set_status(current, Status.CANCELLED, "cancel_reason")
        if current.meeting_id is not None:
            request_cancel(current.meeting_id)
        text = _("Cancelled: %(reason)s") % {"reason": current.cancel_reason}
        note(current, text if current.cancel_reason else _("Cancelled."), actor=actor, through=through)
        notify_all(current, NotificationKind.CANCELLED)
        return current


def _check_cancellable_by(appointment: Appointment, through: BookedThrough) -> None:
    if through == BookedThrough.CLIENT_VIEW and appointment.status == Status.ARRIVED:
        raise BookingError(_("This appointment has begun. Please call us."))


def _change_status(
    appointment: Appointment, status: Status, actor: StaffMember, through: str, version: int | None
) -> Appointment:
    try:
        with transaction.atomic():
            lock_staff(appointment.staff)
            current = lock_appointment(appointment, actor)
            # Whoever clicks twice, or second, wanted what is so already.
            if current.status != status:
                check_version(current, version)
                _check_not_too_early(current, status)
                _set_status(current, status)
                note(current, _sentence(status), actor=actor, through=through)
            return current
    except IntegrityError as error:
        if not is_time_taken(error):
            raise
    raise BookingError(
        _("%(name)s has another appointment at that time by now. Book a new one.")
        % {"name": appointment.staff.name}
    )


def _too_early(appointment: Appointment, status: Status) -> bool:
    """Nobody has missed what has not begun, and nobody arrives before the day."""
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


def _sentence(status: Status) -> str:
    sentences = {
        Status.CONFIRMED: _("Confirmed again."),
        Status.ARRIVED: _("The client arrived."),
        Status.IN_PROGRESS: _("Started."),
        Status.SERVED: _("Completed."),
        Status.NO_SHOW: _("The client did not come."),
    }
    return sentences[status]


def _set_status(appointment: Appointment, status: Status, *fields: str) -> None:
    """The one place that changes a status, by the table above."""
    if status not in ALLOWED[appointment.status]:
        raise BookingError(
            _("An appointment that is “%(before)s” cannot become “%(after)s”.")
            % {"before": appointment.get_status_display(), "after": status.label}
        )
    appointment.status = status
    appointment.version += 1
    appointment.save(update_fields=["status", "version", *fields])
