"""Settings > Time zone changes: appointments at another local time than booked."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from appointments.changes.local_times import is_restoring, moved_by_zone_rules, request_local_times
from appointments.views.responses import see_other
from staff.access import admin_only, current_member, current_organization
from staff.pagination import list_context


@require_http_methods(["GET", "POST"])
@admin_only
def local_times(request: HttpRequest) -> HttpResponse:
    """List the appointments; POST moves all of them back to their local times."""
    organization = current_organization(request)
    moved = moved_by_zone_rules(organization)
    if request.method == "POST":
        if moved.exists():
            request_local_times(organization, current_member(request))
            messages.success(request, _("The appointments are being moved. We’ll email each client and staff member."))
        return see_other("local-times")
    context = {"is_restoring": is_restoring(organization), **list_context(request, moved.with_details())}
    return render(request, "appointments/local_times.html", context)
