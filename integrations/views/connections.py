"""Settings, the list of connections, and the platforms that can be connected."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations.models import Connection
from integrations.platforms import all_platforms, platform_of
from integrations.views.access import connection_or_404
from staff.access import admin_only, current_organization


@admin_only
def settings_page(request: HttpRequest) -> HttpResponse:
    """Where everything that an admin sets up begins."""
    return render(request, "integrations/settings.html")


@admin_only
def video_calls(request: HttpRequest) -> HttpResponse:
    """None connected: the providers; exactly one: its dashboard; several: the list."""
    connections = list(Connection.objects.filter(organization=current_organization(request)).live())
    if not connections:
        return providers(request)
    if len(connections) == 1:
        return redirect("connection", connections[0].pk)
    rows = [(connection, platform_of(connection)) for connection in connections]
    return render(request, "integrations/connection_list.html", {"connections": rows})


@admin_only
def providers(request: HttpRequest) -> HttpResponse:
    """The platforms to choose from; one whose add-on is off is shown, but cannot be chosen."""
    organization = current_organization(request)
    tiles = [(platform, platform.is_offered_to(organization)) for platform in all_platforms()]
    has_connection = Connection.objects.filter(organization=organization).live().exists()
    return render(request, "integrations/providers.html", {"tiles": tiles, "has_connection": has_connection})


@admin_only
def reauthorize(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of the connection's platform that renews its sign-in."""
    connection = connection_or_404(request, pk)
    return redirect(platform_of(connection).reauthorize_url(connection))
