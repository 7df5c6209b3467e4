"""Sentences about what needs attention, rendered on read in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from appointments.bulk_change_models import BulkAction, BulkChangeItem, ItemOutcome
from appointments.models import Appointment
from staff.planned_changes import Cause

_SENTENCES: Final[dict[str, Promise]] = {
    Cause.LEFT: _("%(name)s left."),
    Cause.AFTER_LAST_DAY: _("It is after the last working day of %(name)s."),
    Cause.TIME_OFF: _("%(name)s is off then."),
    Cause.OUTSIDE_HOURS: _("It is outside the changed hours of %(name)s."),
    Cause.NOT_ASSIGNED: _("%(name)s no longer provides “%(service)s”."),
    Cause.SERVICE_OFF: _("“%(service)s” is switched off."),
    Cause.METHOD_OFF: _("“%(service)s” is no longer offered as: %(method)s."),
    Cause.LOCATION_CLOSED: _("%(place)s is closed."),
}


def cause_text(appointment: Appointment) -> str:
    """Return why the appointment, loaded by `with_cause`, needs attention; "" if it doesn't."""
    sentence = _SENTENCES.get(appointment.cause)  # type: ignore[attr-defined]
    if sentence is None:
        return ""
    return str(sentence) % {
        "name": appointment.staff.name,
        "service": appointment.service.name,
        "method": appointment.get_method_display(),
        "place": appointment.location.name if appointment.location else "",
    }


def last_results(appointments: Iterable[Appointment]) -> dict[int, str]:
    """Return what the last bulk change did for each appointment that hasn't changed since. One query."""
    versions = {appointment.pk: appointment.version for appointment in appointments}
    items = BulkChangeItem.objects.filter(appointment__in=versions).select_related("bulk_change").order_by("pk")
    return {
        item.appointment_id: text
        for item in items
        if item.version == versions[item.appointment_id] and (text := _result_text(item))
    }


def _result_text(item: BulkChangeItem) -> str:
    if item.outcome == ItemOutcome.WAITING:
        return str(_("A bulk change is under way."))
    if item.outcome == ItemOutcome.DONE:
        is_asked = item.bulk_change.action == BulkAction.MOVE
        return str(_("The client was asked to choose another time.")) if is_asked else ""
    return str(ItemOutcome(item.outcome).label)
