"""The front door: to where one's day is."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from staff.models import StaffMember


def home(request: HttpRequest) -> HttpResponse:
    """Operators work in Django admin, everybody else on the schedule."""
    if isinstance(request.user, StaffMember) and request.user.organization_id is None:
        return redirect("admin:index")
    return redirect("schedule")
