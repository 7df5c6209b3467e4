"""Settings, the list of connections, and the platforms that can be connected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations.connections.defaults import PeopleOn, people_on, without_platform
from integrations.hooks import notices_of
from integrations.matching.rematch_report import run_summary, shown_runs
from integrations.meetings.failed import count_by_connection
from integrations.models import Connection
from integrations.platforms.base import VideoPlatform
from integrations.platforms.registry import all_platforms, platform_of
from integrations.platforms.values import Account
from integrations.views.access import connection_or_404
from staff.access import admin_only, current_organization
from staff.models import Organization


@dataclass(frozen=True)
class _Row:
    """One connection in a list."""

    connection: Connection
    platform: VideoPlatform
    account: Account
    people: PeopleOn
    rematch: str
    failed: int


@admin_only
def settings_page(request: HttpRequest) -> HttpResponse:
    """Where everything that an admin sets up begins."""
    return render(request, "integrations/settings.html")


@admin_only
def video_calls(request: HttpRequest) -> HttpResponse:
    """None connected: the providers; exactly one: its dashboard; several: the list."""
    live = list(Connection.objects.filter(organization=current_organization(request)).live()[:2])
    if not live:
        return providers(request)
    return redirect("connection", live[0].pk) if len(live) == 1 else all_connections(request)


@admin_only
def all_connections(request: HttpRequest) -> HttpResponse:
    """The list: what is connected, and below it what was disconnected."""
    organization = current_organization(request)
    live, gone = _live_and_gone(organization)
    context = {
        "live": live,
        "gone": gone,
        "without": without_platform(organization),
        "default": next((row.connection for row in live if row.connection.is_default), None),
        "notices": notices_of(organization),
    }
    return render(request, "integrations/connection_list.html", context)


@admin_only
def providers(request: HttpRequest) -> HttpResponse:
    """The platforms to choose from; one whose add-on is off is shown, but cannot be chosen."""
    organization = current_organization(request)
    live, gone = _live_and_gone(organization)
    context = {
        "tiles": [(platform, platform.is_offered_to(organization)) for platform in all_platforms()],
        "has_connection": bool(live),
        "gone": gone,
        # Before anything was connected, nobody is expected to have a platform.
        "without": without_platform(organization) if gone and not live else None,
        "notices": notices_of(organization),
    }
    return render(request, "integrations/providers.html", context)


@admin_only
def reauthorize(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of the connection's platform that renews its sign-in."""
    connection = connection_or_404(request, pk)
    return redirect(platform_of(connection).reauthorize_url(connection))


def _live_and_gone(organization: Organization) -> tuple[list[_Row], list[_Row]]:
    rows = _rows(Connection.objects.filter(organization=organization).with_platforms())
    live = [row for row in rows if row.connection.is_live]
    return live, [row for row in rows if not row.connection.is_live]


def _rows(connections: Iterable[Connection]) -> list[_Row]:
    connections = list(connections)
    people, rematches = people_on(connections), shown_runs(connections)
    failed = count_by_connection(connections)
    platforms = [platform_of(connection) for connection in connections]
    return [
        _Row(
            connection,
            platform,
            platform.account(connection),
            people[connection.pk],
            run_summary(rematches.get(connection.pk)),
            failed.get(connection.pk, 0),
        )
        for connection, platform in zip(connections, platforms, strict=True)
    ]
