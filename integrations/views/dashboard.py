"""A connection's dashboard: the account, the counts, and who is matched."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh

from integrations.connections.defaults import without_platform
from integrations.connections.health import health_of
from integrations.dashboard.counts import Tiles, tiles_of
from integrations.dashboard.rows import rows_of
from integrations.dashboard.search import ROWS, TableFilter
from integrations.dashboard.table import page_of
from integrations.hooks import notices_of
from integrations.meetings.failed import failed_links
from integrations.models import Connection, UserMatch
from integrations.monitoring import capacity, drift_report
from integrations.platforms.registry import platform_of
from integrations.views.access import connection_or_404
from integrations.views.disconnect import disconnected_page
from integrations.views.rematch import run_context
from staff.access import admin_only, current_organization
from staff.pagination import rows_per_page


@admin_only
@vary_on_headers("HX-Request")
def dashboard(request: HttpRequest, pk: int) -> HttpResponse:
    """The account, one health line, the tiles and the table; for htmx only what changes below the search."""
    connection = connection_or_404(request, pk)
    if not connection.is_live:
        # A table that is open somewhere asks for itself; the whole page has changed.
        return (
            HttpResponseClientRefresh() if is_by_script(request) else disconnected_page(request, connection)
        )
    # Whoever types sees the counts already: counting everybody with each letter would double what that costs.
    is_typing = is_by_script(request) and bool(TableFilter(request.GET).words)
    table = _table_context(request, connection, None if is_typing else tiles_of(connection))
    if not is_typing:
        table["notices"] = notices_of(current_organization(request))
    if is_by_script(request):
        return render(request, "integrations/_users_news.html", table)
    page = {
        "account": platform_of(connection).account(connection),
        "health": health_of(connection),
        "failed_count": failed_links(connection).count(),
        "capacity": capacity.notice_of(connection),
        "drift": drift_report.notice_of(connection),
        "without": without_platform(current_organization(request)),
    }
    return render(request, "integrations/dashboard.html", {**table, **page, **run_context(connection)})


def is_by_script(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page; after Back it asks for the whole."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def _table_context(request: HttpRequest, connection: Connection, tiles: Tiles | None) -> dict[str, Any]:
    table_filter = TableFilter(request.GET, usual_rows=rows_per_page(request))
    page = page_of(connection, table_filter, request.GET.get("page"), tiles)
    platform, rows = platform_of(connection), rows_of(connection, list(page.object_list))
    needs_permission_probe = platform.needs_host_permission(connection)
    return {
        "connection": connection,
        "platform": platform,
        "tiles": tiles,
        "filter": table_filter,
        "page": page,
        "rows_per_page": table_filter.rows_per_page,
        "row_choices": ROWS,
        "rows": rows,
        "unsettled": [row.member.pk for row in rows if row.is_unsettled],
        "needing_permission": UserMatch.objects.needing_permission(connection).count()
        if needs_permission_probe
        else 0,
        # For those without scripts: the boxes of this page are ticked already.
        "selects_page": request.GET.get("select") == "page",
        "query": request.GET.urlencode(),
    }


def back_to_dashboard(connection: Connection, query: str) -> HttpResponseRedirect:
    """The dashboard as it was; only the known names of the table's address survive."""
    known = {*TableFilter.base_fields, "page"}
    kept = {name: value for name, value in QueryDict(query).items() if name in known}
    return redirect(reverse("connection", args=[connection.pk], query=kept or None))
