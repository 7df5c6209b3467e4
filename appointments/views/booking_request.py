"""Book in one request, for scripts: JSON or a form in, JSON out."""

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
from staff.access import current_member, schedulers_only


@require_POST
@schedulers_only
def book(request: HttpRequest) -> JsonResponse:
    """201 with the appointment; 409 with the next free times where the time is taken; 422 with a sentence by field."""
    try:
        form = BookingRequestForm(_sent(request), actor=current_member(request))
    except ValueError:
        return JsonResponse({"errors": {"": [_("Send a JSON object, or a form.")]}}, status=400)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    try:
        booked = form.book(BookedThrough.CONTACT_CENTER)
    except TimeTaken as taken:
        free = [int(moment.timestamp()) for moment in taken.next_free]
        return JsonResponse({"error": taken.sentence, "next_free": free}, status=409)
    except BookingError as refused:
        return JsonResponse({"errors": {refused.field: [refused.sentence]}}, status=422)
    return JsonResponse({"id": booked.pk, "url": reverse("appointment", args=[booked.pk])}, status=201)


def _sent(request: HttpRequest) -> dict[str, Any]:
    """The fields as they were sent. Raises ValueError."""
    if request.content_type != "application/json":
        return request.POST.dict()
    try:
        sent = json.loads(request.body)
        # Half of a character, which JSON can spell, is none that the database could store.
        json.dumps(sent, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError from None
    if isinstance(sent, dict):
        return sent
    raise ValueError
