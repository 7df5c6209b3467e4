"""Drag and drop on the schedule: JSON responses for its script."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.changes.drag_and_drop import confirmation_lines, drop_appointment, time_and_staff
from appointments.forms.drag_and_drop import DragAndDropForm
from appointments.models import Appointment
from appointments.time_zones import day_and_time
from appointments.views.appointment_page import appointment_or_404
from staff.access import current_member


@require_POST
def appointment_drag(request: HttpRequest, pk: int) -> JsonResponse:
    """Move the appointment, ask for confirmation, or refuse with 409 and the next free times."""
    appointment = appointment_or_404(request, pk)
    member = current_member(request)
    form = DragAndDropForm(request.POST, appointment=appointment, actor=member)
    if not form.is_valid():
        return _refused(form.sentence, form.repeated_starts, form.length)
    try:
        is_confirmed = form.cleaned_data["confirmed"]
        lines = [] if is_confirmed else confirmation_lines(appointment, form.drop, member)
        if lines:
            return JsonResponse({"outcome": "confirm", "sentences": lines})
        moved = drop_appointment(appointment, form.drop, member)
    except BookingError as error:
        return _refused(error.sentence, error.next_free if isinstance(error, TimeTaken) else [])
    return JsonResponse(_moved(appointment, moved))


def _moved(before: Appointment, moved: Appointment) -> dict[str, Any]:
    undo = {
        "starts_at": before.starts_at.isoformat(),
        "staff": before.staff_id,
        "version": moved.version,
        "confirmed": "1",
    }
    if moved.ends_at - moved.starts_at != before.ends_at - before.starts_at:
        undo["ends_at"] = before.ends_at.isoformat()
    params = {"client": moved.client.name, "now": time_and_staff(moved)}
    return {"outcome": "moved", "sentence": _("%(client)s is on %(now)s now.") % params, "undo": undo}


def _refused(sentence: str, free: Sequence[datetime], length: timedelta | None = None) -> JsonResponse:
    """Return the sentence and the times to choose from. `length` is the new one if the appointment was resized."""
    times = [
        {"starts_at": start.isoformat(), "label": day_and_time(timezone.localtime(start), "D j M")}
        | ({"ends_at": (start.astimezone(UTC) + length).isoformat()} if length else {})
        for start in free
    ]
    return JsonResponse({"outcome": "refused", "sentence": sentence, "next_free": times}, status=409)
