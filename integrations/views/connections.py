"""Settings page, list of connections, and platforms to connect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations.connections.defaults import StaffCounts, count_staff, count_staff_without_platform
from integrations.hooks import notices_of
from integrations.matching.rematch_report import run_summary, shown_runs
from integrations.meetings.failed import count_by_connection
from integrations.models import Connection
from integrations.platforms.base import VideoPlatform
from integrations.platforms.registry import all_platforms, platform_of
from integrations.platforms.values import Account
from integrations.views.access import with_connection
from staff.access import admin_only, current_organization
from staff.models import Organization


@dataclass(frozen=True)
class ConnectionRow:
    """Connection in a list. `rematch` is a sentence about the last run; `failed` counts failed links."""

    connection: Connection
    platform: VideoPlatform
    account: Account
    people: StaffCounts
    rematch: str
    failed: int


@admin_only
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show the start page of all settings."""
    return render(request, "integrations/settings.html")


@admin_only
def video_calls(request: HttpRequest) -> HttpResponse:
    """Lead to the platforms, the only dashboard or the list, depending on the number of live connections."""
    live = list(Connection.objects.filter(organization=current_organization(request)).live()[:2])
    if not live:
        return platforms(request)
    return redirect("connection", live[0].pk) if len(live) == 1 else all_connections(request)


@admin_only
def all_connections(request: HttpRequest) -> HttpResponse:
    """List the live connections, then the disconnected ones."""
    organization = current_organization(request)
    live, disconnected = _rows_by_state(organization)
    context = {
        "live": live,
        "disconnected": disconnected,
        "without": count_staff_without_platform(organization),
        "default": next((row.connection for row in live if row.connection.is_default), None),
        "notices": notices_of(organization),
    }
    return render(request, "integrations/connections/list.html", context)


@admin_only
def platforms(request: HttpRequest) -> HttpResponse:
    """List the platforms. A platform whose add-on is off is shown but can't be chosen."""
    organization = current_organization(request)
    live, disconnected = _rows_by_state(organization)
    context = {
        "tiles": [(platform, platform.is_offered_to(organization)) for platform in all_platforms()],
        "has_connection": bool(live),
        "disconnected": disconnected,
        # Before the first connection, having no platform is no reason for a warning.
        "without": count_staff_without_platform(organization) if disconnected and not live else None,
        "notices": notices_of(organization),
    }
    return render(request, "integrations/connections/platforms.html", context)


@admin_only
@with_connection
def reauthorize(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Redirect to the platform's page that renews the sign-in."""
    return redirect(platform_of(connection).reauthorize_url(connection))


def _rows_by_state(organization: Organization) -> tuple[list[ConnectionRow], list[ConnectionRow]]:
    rows = _connection_rows(Connection.objects.filter(organization=organization).with_platforms())
    live = [row for row in rows if row.connection.is_live]
    return live, [row for row in rows if not row.connection.is_live]


def _connection_rows(connections: Iterable[Connection]) -> list[ConnectionRow]:
    connections = list(connections)
    people, rematches = count_staff(connections), shown_runs(connections)
    failed = count_by_connection(connections)
    platforms = [platform_of(connection) for connection in connections]
    return [
        ConnectionRow(
            connection,
            platform,
            platform.account(connection),
            people[connection.pk],
            run_summary(rematches.get(connection.pk)),
            failed.get(connection.pk, 0),
        )
        for connection, platform in zip(connections, platforms, strict=True)
    ]
