"""Pages for requests that Coconut refuses or can't answer. Each says what to do next.

Django finds 400.html, 403.html and 404.html. `coconut.web.body_limits` renders 413.html.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRefresh

from coconut.observability import log_context
from staff.sessions.middleware import page_of


def server_error(request: HttpRequest) -> HttpResponse:
    """Show the request id, by which the logs can be searched. Uses neither database nor session."""
    return HttpResponseServerError(render_to_string("500.html", {"request_id": log_context.request_id()}))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without a valid CSRF token: the page is old, or the browser keeps no cookies."""
    if request.htmx:  # type: ignore[attr-defined]
        messages.warning(request, _("This page was out of date, so nothing was saved. Try again."))
        return HttpResponseClientRefresh()
    return render(request, "403_csrf.html", {"page": page_of(request)}, status=403)


class MethodNotAllowedMiddleware:
    """Gives Django's empty 405 response a page, for people who open the address of a button."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or response.content:
            return response
        page = render(request, "405.html", status=405)
        page["Allow"] = response["Allow"]
        return page
