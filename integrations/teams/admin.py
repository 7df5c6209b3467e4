"""Django admin: tenant and account of each connection without its tokens, and requests to connect a tenant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from integrations.connections.lifecycle import AlreadyConnected
from integrations.platforms.values import PlatformError
from integrations.teams.connect.requests import NotWaiting, confirm_request, decline_request
from integrations.teams.entra.tenants import discovery_url
from integrations.teams.models import ConnectionRequest, TeamsConnection
from staff.admin import ReadOnlyAdmin


@admin.register(TeamsConnection)
class TeamsConnectionAdmin(ReadOnlyAdmin):
    list_display = ["connection", "organization", "method", "tenant_id", "tenant_name", "account_upn"]
    list_filter = ["method"]
    list_select_related = ["connection", "organization"]
    search_fields = ["tenant_id", "tenant_name", "account_upn", "organization__name"]
    fields = [
        "organization",
        "connection",
        "method",
        "tenant_id",
        "tenant_name",
        "account_oid",
        "account_upn",
        "account_name",
        "granted",
        "token_version",
        "lobby_policy",
    ]


@admin.register(ConnectionRequest)
class ConnectionRequestAdmin(ReadOnlyAdmin):
    """Requests that operators confirm or decline on a page with the facts."""

    list_display = ["organization", "tenant_id", "tenant_name", "account_upn", "state", "requested_at"]
    list_filter = ["state"]
    list_select_related = ["organization"]
    search_fields = ["tenant_id", "tenant_name", "account_upn", "organization__name"]
    ordering = ["-requested_at"]
    fields = [
        "organization",
        "tenant_id",
        "tenant_name",
        "account_oid",
        "account_upn",
        "account_name",
        "match_field",
        "requested_by",
        "requested_at",
        "state",
        "failure",
        "decided_by",
        "decided_at",
    ]

    def get_urls(self) -> list[URLPattern]:
        decide = self.admin_site.admin_view(self.decide)
        urls: list[URLPattern] = super().get_urls()
        return [path("<int:pk>/decision/", decide, name="teams_connectionrequest_decide"), *urls]

    # The link in the email leads to the operators' sign-in. Otherwise, the middleware would redirect to that of staff.
    @login_not_required
    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the facts and how to check the tenant. A POST confirms or declines."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        requests = ConnectionRequest.objects.select_related("organization", "requested_by")
        connection_request = get_object_or_404(requests, pk=pk)
        decision = next((decide for name, decide in _DECISIONS.items() if name in request.POST), None)
        if decision is not None:
            _decide(request, connection_request, decision)
            return redirect("admin:teams_connectionrequest_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Confirm or decline"),
            "opts": self.opts,
            "original": connection_request,
            "others": _other_organizations(connection_request),
            "discovery_address": discovery_url(_("DOMAIN")),
        }
        return render(request, "admin/teams/connectionrequest/decide.html", context)


def _decide(request: HttpRequest, connection_request: ConnectionRequest, decision: Callable[..., str]) -> None:
    try:
        messages.success(request, decision(connection_request.pk, request.user))
    except (NotWaiting, AlreadyConnected, PlatformError) as problem:
        messages.error(request, str(problem))


def _confirm(pk: int, operator: Any) -> str:
    confirm_request(pk, operator)
    return _("Microsoft Teams is connected. All admins get an email.")


def _decline(pk: int, operator: Any) -> str:
    decline_request(pk, operator)
    return _("The request was declined. All admins get an email.")


_DECISIONS: dict[str, Callable[..., str]] = {"confirm": _confirm, "decline": _decline}


def _other_organizations(connection_request: ConnectionRequest) -> list[str]:
    """Return the names of other organisations that have connected or requested the tenant."""
    names: set[str] = set()
    for rows in (TeamsConnection.objects.all(), ConnectionRequest.objects.waiting()):
        others = rows.filter(tenant_id=connection_request.tenant_id)
        others = others.exclude(organization=connection_request.organization_id)
        names |= set(others.values_list("organization__name", flat=True))
    return sorted(names)
