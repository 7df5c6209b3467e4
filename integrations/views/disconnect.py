"""Actions > Disconnect, and what is shown of a connection afterwards."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from integrations.connections.defaults import people_on
from integrations.connections.disconnect import disconnect_connection, upcoming_of
from integrations.connections.health import health_of
from integrations.hooks import notices_of
from integrations.meetings.failed import failed_links
from integrations.models import Connection, EventKind
from integrations.platforms.registry import platform_of
from integrations.views.access import connection_or_404, while_connected
from staff.access import admin_only, current_member


@admin_only
@while_connected
def disconnect(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what it means and what to try first; then end the connection."""
    connection = connection_or_404(request, pk)
    if request.method == "POST":
        words = {"name": connection.name}
        if disconnect_connection(connection, current_member(request)):
            messages.success(request, _("%(name)s is disconnected.") % words)
        else:
            messages.info(request, _("%(name)s is disconnected already.") % words)
        others = Connection.objects.filter(organization=connection.organization_id).live().exists()
        # With one left, Video Calls is that one's dashboard: as if nothing had gone.
        return redirect("video-calls-all" if others else "video-calls")
    context = {
        "connection": connection,
        "platform": platform_of(connection),
        "upcoming": upcoming_of(connection),
        "people": people_on([connection])[connection.pk],
    }
    return render(request, "integrations/disconnect.html", context)


def disconnected_page(request: HttpRequest, connection: Connection) -> HttpResponse:
    """The dashboard of a connection that was disconnected: what is left of it, and the way back."""
    platform = platform_of(connection)
    context = {
        "connection": connection,
        "platform": platform,
        "reconnect": platform.reconnect_url(connection),
        "account": platform.account(connection),
        "is_offered": platform.is_offered_to(connection.organization),
        "event": connection.events.filter(kind=EventKind.DISCONNECTED).select_related("actor").first(),
        "upcoming": upcoming_of(connection),
        "people": people_on([connection])[connection.pk],
        "default": Connection.objects.filter(
            organization=connection.organization_id, is_default=True
        ).first(),
        "health": health_of(connection),
        "failed_count": failed_links(connection).count(),
        "notices": notices_of(connection.organization),
    }
    return render(request, "integrations/disconnected.html", context)
