"""Actions of bulk changes on one appointment, through the functions that single changes use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from appointments.attention.colleagues import Colleagues, free_then
from appointments.attention.conditions import with_cause
from appointments.attention.other_times import has_other_time
from appointments.booking_rules.errors import BookingError, ChangedMeanwhile, StaffUnavailable, TimeUnavailable
from appointments.bulk_change_models import BulkAction, BulkChange, BulkChangeItem, ItemOutcome
from appointments.changes.move import reassign_appointment
from appointments.changes.offer_times import offer_other_times
from appointments.changes.status import cancel_appointment
from appointments.models import Appointment, BookedThrough
from staff.planned_changes import Cause

#: Causes that remain with any staff member.
_STAYS_WITH_COLLEAGUES: Final = (Cause.SERVICE_OFF, Cause.METHOD_OFF)


def change_item(change: BulkChange, item: BulkChangeItem, colleagues: Colleagues) -> None:
    """Change the item's appointment and store the outcome, in the caller's transaction, which has locked the item."""
    appointment = with_cause(Appointment.objects.with_details()).get(pk=item.appointment_id)
    try:
        item.outcome, changed = _outcome_of(change, item, appointment, colleagues)
    except ChangedMeanwhile:
        item.outcome, changed = ItemOutcome.CHANGED, appointment
    except BookingError:
        item.outcome, changed = ItemOutcome.REFUSED, appointment
    item.version = changed.version
    if change.action == BulkAction.REASSIGN and item.outcome == ItemOutcome.DONE:
        item.staff = changed.staff
    item.save(update_fields=["outcome", "version", "staff"])


def _outcome_of(
    change: BulkChange, item: BulkChangeItem, appointment: Appointment, colleagues: Colleagues
) -> tuple[ItemOutcome, Appointment]:
    cause = appointment.cause  # type: ignore[attr-defined]
    if not cause:
        return ItemOutcome.SETTLED, appointment
    if _was_asked(change, appointment):
        return ItemOutcome.ASKED_BEFORE, appointment
    if appointment.version != item.version:
        return ItemOutcome.CHANGED, appointment
    if change.action == BulkAction.REASSIGN:
        return _reassign(change, appointment, cause, colleagues)
    return _ACTIONS[change.action](change, appointment)


def _was_asked(change: BulkChange, appointment: Appointment) -> bool:
    """Return whether the client was asked to choose another time, and nothing has changed since."""
    asked = BulkChangeItem.objects.filter(bulk_change__action=BulkAction.MOVE, outcome=ItemOutcome.DONE)
    is_asking = change.action == BulkAction.MOVE
    return is_asking and asked.filter(appointment=appointment, version=appointment.version).exists()


def _reassign(
    change: BulkChange, appointment: Appointment, cause: str, colleagues: Colleagues
) -> tuple[ItemOutcome, Appointment]:
    """Reassign to the least booked colleague who is free; the next one if that is no longer possible."""
    if cause in _STAYS_WITH_COLLEAGUES:
        return ItemOutcome.STAYS_OFF, appointment
    people = colleagues.of(appointment)
    for member in free_then(appointment, people, appointment.starts_at):
        try:
            reassigned = reassign_appointment(
                appointment,
                staff=member,
                actor=change.started_by,
                through=BookedThrough.SCHEDULE,
                version=appointment.version,
            )
        except (TimeUnavailable, StaffUnavailable):
            continue
        return ItemOutcome.DONE, reassigned
    return ItemOutcome.NONE_FREE if people else ItemOutcome.NO_CANDIDATE, appointment


def _offer_times(change: BulkChange, appointment: Appointment) -> tuple[ItemOutcome, Appointment]:
    if not appointment.client.email:
        return ItemOutcome.NO_EMAIL, appointment
    if not has_other_time(appointment):
        return ItemOutcome.NO_OTHER_TIMES, appointment
    return ItemOutcome.DONE, offer_other_times(
        appointment, actor=change.started_by, through=BookedThrough.SCHEDULE, version=appointment.version
    )


def _cancel(change: BulkChange, appointment: Appointment) -> tuple[ItemOutcome, Appointment]:
    return ItemOutcome.DONE, cancel_appointment(
        appointment,
        actor=change.started_by,
        through=BookedThrough.SCHEDULE,
        reason=change.reason,
        version=appointment.version,
    )


_ACTIONS: Final[dict[str, Callable[[BulkChange, Appointment], tuple[ItemOutcome, Appointment]]]] = {
    BulkAction.MOVE: _offer_times,
    BulkAction.CANCEL: _cancel,
}
