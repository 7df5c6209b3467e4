"""Actions > Disconnect, and the dashboard of a disconnected connection."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from integrations.connections.defaults import count_staff
from integrations.connections.disconnect import count_upcoming, disconnect_connection
from integrations.connections.health import health_of
from integrations.hooks import notices_of
from integrations.meetings.failed import failed_links
from integrations.models import Connection, EventKind
from integrations.platforms.registry import platform_of
from integrations.views.access import while_connected
from staff.access import admin_only, current_member
from staff.sessions.password_check import PasswordCheckForm


@admin_only
@while_connected
def disconnect(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Show the consequences and what to try first; on POST, disconnect."""
    password_check = PasswordCheckForm(request)
    if password_check.is_valid():
        if disconnect_connection(connection, current_member(request)):
            messages.success(request, _("%(name)s is disconnected.") % {"name": connection.name})
        else:
            messages.info(request, _("%(name)s is disconnected already.") % {"name": connection.name})
        others = Connection.objects.filter(organization=connection.organization_id).live().exists()
        # With one connection left, "video-calls" leads to its dashboard, which hides the change.
        return redirect("video-calls-all" if others else "video-calls")
    context = {
        "connection": connection,
        "platform": platform_of(connection),
        "upcoming": count_upcoming(connection),
        "people": count_staff([connection])[connection.pk],
        "password_check": password_check,
    }
    return render(request, "integrations/connections/disconnect.html", context)


def disconnected_page(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Render the dashboard of a disconnected connection, with the way to connect it again."""
    platform = platform_of(connection)
    context = {
        "connection": connection,
        "platform": platform,
        "reconnect": platform.reconnect_url(connection),
        "account": platform.account(connection),
        "is_offered": platform.is_offered_to(connection.organization),
        "event": connection.events.filter(kind=EventKind.DISCONNECTED).select_related("actor").first(),
        "upcoming": count_upcoming(connection),
        "people": count_staff([connection])[connection.pk],
        "default": Connection.objects.filter(organization=connection.organization_id, is_default=True).first(),
        "health": health_of(connection),
        "failed_count": failed_links(connection).count(),
        "notices": notices_of(connection.organization),
    }
    return render(request, "integrations/connections/disconnected.html", context)
