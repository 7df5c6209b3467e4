"""Dashboard of a connection: the account, the counts and the user table."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh

from integrations.connections.defaults import count_staff_without_platform
from integrations.connections.health import health_of
from integrations.dashboard.counts import UserCounts, count_users
from integrations.dashboard.rows import user_rows
from integrations.dashboard.search import ROWS, TableFilter
from integrations.dashboard.table import users_page
from integrations.hooks import notices_of
from integrations.meetings.failed import failed_links
from integrations.models import Connection, UserMatch
from integrations.monitoring import capacity_report, drift_report
from integrations.platforms.registry import platform_of
from integrations.views.access import is_htmx, with_connection
from integrations.views.disconnect import disconnected_page
from integrations.views.rematch import run_context
from staff.access import admin_only, current_organization
from staff.pagination import rows_per_page


@admin_only
@vary_on_headers("HX-Request")
@with_connection
def dashboard(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Show the dashboard; for htmx, only the table and the parts that change with it."""
    if not is_htmx(request):
        return _whole_page(request, connection)
    if not connection.is_live:
        # An open table polls. After a disconnect the whole page differs.
        return HttpResponseClientRefresh()
    # A search changes no count, so a keystroke does not pay for counting all users.
    counts = None if TableFilter(request.GET).words else count_users(connection)
    context = _table_context(request, connection, counts)
    if counts is not None:
        context["notices"] = notices_of(current_organization(request))
    return render(request, "integrations/dashboard/_users_table_update.html", context)


def _whole_page(request: HttpRequest, connection: Connection) -> HttpResponse:
    if not connection.is_live:
        return disconnected_page(request, connection)
    organization = current_organization(request)
    context = {
        **_table_context(request, connection, count_users(connection)),
        "notices": notices_of(organization),
        "account": platform_of(connection).account(connection),
        "health": health_of(connection),
        "failed_count": failed_links(connection).count(),
        "capacity": capacity_report.notice_of(connection),
        "drift": drift_report.notice_of(connection),
        "without": count_staff_without_platform(organization),
        **run_context(connection),
    }
    return render(request, "integrations/dashboard/page.html", context)


def _table_context(request: HttpRequest, connection: Connection, counts: UserCounts | None) -> dict[str, Any]:
    table_filter = TableFilter(request.GET, default_rows=rows_per_page(request))
    page = users_page(connection, table_filter, request.GET.get("page"), counts)
    platform, rows = platform_of(connection), user_rows(connection, list(page.object_list))
    needs_permission_probe = platform.needs_host_permission(connection)
    return {
        "connection": connection,
        "platform": platform,
        "counts": counts,
        "filter": table_filter,
        "page": page,
        "rows_per_page": table_filter.rows_per_page,
        "row_choices": ROWS,
        "rows": rows,
        "unsettled": [row.member.pk for row in rows if row.is_unsettled],
        "needing_permission": UserMatch.objects.needing_permission(connection).count() if needs_permission_probe else 0,
        # Without scripts, a link ticks the boxes of this page.
        "selects_page": request.GET.get("select") == "page",
        "query": request.GET.urlencode(),
    }


def back_to_dashboard(connection: Connection, query: str) -> HttpResponseRedirect:
    """Redirect to the dashboard with the same table; only known parameters of `query` are kept."""
    known = {*TableFilter.base_fields, "page"}
    kept = {name: value for name, value in QueryDict(query).items() if name in known}
    return redirect(reverse("connection", args=[connection.pk], query=kept or None))
