"""The front door, to where one's day is, and the page for when something is broken."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.shortcuts import redirect
from django.template.loader import render_to_string

from coconut import log_context
from staff.models import StaffMember


def home(request: HttpRequest) -> HttpResponse:
    """Operators work in Django admin, everybody else on the schedule."""
    if isinstance(request.user, StaffMember) and request.user.organization_id is None:
        return redirect("admin:index")
    return redirect("schedule")


def broken(request: HttpRequest) -> HttpResponse:
    """Something went wrong: says the id by which the logs tell what. Needs no database, and no session."""
    return HttpResponseServerError(render_to_string("500.html", {"request_id": log_context.request_id()}))
