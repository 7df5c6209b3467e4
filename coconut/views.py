"""Home page and error page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.shortcuts import redirect
from django.template.loader import render_to_string

from coconut.observability import log_context
from staff.models import StaffMember


def home(request: HttpRequest) -> HttpResponse:
    """Redirect operators to Django admin, and staff to the schedule."""
    if isinstance(request.user, StaffMember) and request.user.organization_id is None:
        return redirect("admin:index")
    return redirect("schedule")


def server_error(request: HttpRequest) -> HttpResponse:
    """Show the request id, by which the logs can be searched. Uses neither database nor session."""
    return HttpResponseServerError(render_to_string("500.html", {"request_id": log_context.request_id()}))
