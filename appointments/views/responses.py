"""Responses that several pages share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render, resolve_url

from coconut.rate_limits import Limit


class SeeOther(HttpResponseRedirect):
    """303 after a submit: going back or reloading doesn't submit again."""

    status_code = 303


def see_other(to: str, *args: object) -> SeeOther:
    """Redirect with 303 to the page of this URL name."""
    return SeeOther(resolve_url(to, *args))


def is_htmx(request: HttpRequest) -> bool:
    """Return whether htmx sent the request, and so replaces a part of a page."""
    return bool(request.htmx)  # type: ignore[attr-defined]


def field_errors(errors: Mapping[str, Any]) -> JsonResponse:
    """Return 422 with the sentences by field."""
    return JsonResponse({"errors": errors}, status=422)


def json_error(sentence: str, status: int, **more: Any) -> JsonResponse:
    """Return `{"error": sentence}` with this status, and with more keys."""
    return JsonResponse({"error": sentence, **more}, status=status)


def too_many_requests(
    request: HttpRequest, template: str, limit: Limit, context: Mapping[str, Any] | None = None
) -> HttpResponse:
    """Return 429 with a page that names the minutes to wait."""
    seconds = limit.seconds_left()
    response = render(request, template, {"minutes": -(-seconds // 60), **(context or {})}, status=429)
    response["Retry-After"] = str(seconds)
    return response
