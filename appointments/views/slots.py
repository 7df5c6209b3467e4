"""The free times of the public page, for its script: no cookie, no session."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from appointments.client_view.rate_limits import limit_of_looking
from appointments.client_view.slots import BadAddress, NotOffered, SlotsQuery, slots_for_clients


@require_safe
def book_slots(request: HttpRequest, slug: str) -> JsonResponse:
    """`{"slots": [unix seconds, ascending]}`, or `{"error": a sentence}` with 400, 404 or 429."""
    if limit := limit_of_looking(request):
        sentence = _("You have looked very often. Wait a few minutes, then go on.")
        return JsonResponse({"error": sentence}, status=429, headers={"Retry-After": str(limit.ends_in())})
    try:
        answer = JsonResponse({"slots": slots_for_clients(SlotsQuery.of_address(slug, request.GET))})
    except BadAddress as error:
        answer = JsonResponse({"error": str(error)}, status=400)
    except NotOffered as error:
        answer = JsonResponse({"error": str(error)}, status=404)
    answer["Cache-Control"] = "no-store"
    return answer
