"""Booking in one request, for scripts: JSON or a form in, JSON out."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.forms.booking_request import BookingRequestForm
from appointments.models import BookedThrough
from appointments.views.responses import field_errors, json_error
from staff.access import current_member, schedulers_only


@require_POST
@schedulers_only
def book(request: HttpRequest) -> JsonResponse:
    """Return 201 with the appointment, 409 with the next free times, or 422 with sentences by field."""
    try:
        form = BookingRequestForm(_submitted_fields(request), actor=current_member(request))
    except ValueError:
        return JsonResponse({"errors": {"": [_("Send a JSON object, or a form.")]}}, status=400)
    if not form.is_valid():
        return field_errors(form.errors)
    try:
        booked = form.book(BookedThrough.CONTACT_CENTER)
    except TimeTaken as taken:
        free = [int(start.timestamp()) for start in taken.next_free]
        return json_error(taken.sentence, 409, next_free=free)
    except BookingError as error:
        return field_errors({error.field: [error.sentence]})
    return JsonResponse({"id": booked.pk, "url": reverse("appointment", args=[booked.pk])}, status=201)


def _submitted_fields(request: HttpRequest) -> dict[str, Any]:
    """Return the submitted fields. Raises ValueError."""
    if request.content_type != "application/json":
        return request.POST.dict()
    try:
        sent = json.loads(request.body)
        # JSON can hold a lone surrogate, which the database can't store.
        json.dumps(sent, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError from None
    if isinstance(sent, dict):
        return sent
    raise ValueError
