"""A request to connect a tenant that an operator must confirm, as admins see it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from integrations.teams.connect.requests import NotWaiting, cancel_request
from integrations.teams.models import ConnectionRequest
from staff.access import admin_only, current_member, current_organization


@admin_only
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the request, its state, and what to do meanwhile."""
    return render(request, "teams/request.html", {"connection_request": _request_or_404(request, pk)})


@admin_only
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel the request."""
    connection_request = _request_or_404(request, pk)
    try:
        cancel_request(connection_request, current_member(request))
    except NotWaiting as problem:
        messages.error(request, str(problem))
        return redirect("teams-request", connection_request.pk)
    messages.success(request, _("The request was cancelled. Nothing was connected."))
    return redirect("video-calls")


def _request_or_404(request: HttpRequest, pk: int) -> ConnectionRequest:
    requests = ConnectionRequest.objects.select_related("requested_by")
    return get_object_or_404(requests, pk=pk, organization=current_organization(request))
