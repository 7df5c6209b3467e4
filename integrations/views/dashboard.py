"""A connection's dashboard: the account, who is matched, and the switches."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh

from integrations.connections import turn_video_calls
from integrations.coverage import needing_grant
from integrations.health import health_of
from integrations.models import Connection
from integrations.platforms import platform_of
from integrations.user_table import ROWS, TableFilter, narrowed, page_of, rows_of, tiles_of
from integrations.views.access import connection_or_404, while_connected
from integrations.views.disconnect import disconnected_page
from integrations.views.rematch import run_context
from staff.access import admin_only, current_member
from staff.models import StaffMember


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
    template = "integrations/_users.html" if is_by_script(request) else "integrations/dashboard.html"
    return render(request, template, _dashboard_context(request, connection))


@admin_only
@require_POST
@while_connected
def toggle(request: HttpRequest, pk: int, staff_pk: int) -> HttpResponse:
    """Turn Video Calls on or off for one person; takes effect at once."""
    connection = connection_or_404(request, pk)
    person = get_object_or_404(StaffMember, pk=staff_pk, organization=connection.organization_id)
    turn_video_calls(
        connection,
        StaffMember.objects.filter(pk=person.pk),
        on=request.POST.get("on") == "true",
        actor=current_member(request),
    )
    if not is_by_script(request):
        return back_to_dashboard(connection, request.POST.get("back", ""))
    context = {
        "connection": connection,
        "row": rows_of(connection, [person])[0],
        "tiles": tiles_of(connection),
        "query": request.POST.get("back", ""),
        "platform": platform_of(connection),
    }
    return render(request, "integrations/_toggled.html", context)


@admin_only
@require_POST
@while_connected
def turn_many(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn Video Calls on or off for the ticked people, or for everybody that search and filter leave."""
    connection = connection_or_404(request, pk)
    back = request.POST.get("back", "")
    chosen = narrowed(connection, TableFilter(QueryDict(back)))
    if request.POST.get("everybody") != "true":
        # No id has more digits; what has is nobody's.
        ticked = [
            int(value) for value in request.POST.getlist("staff") if value.isdecimal() and len(value) < 19
        ]
        chosen = chosen.filter(pk__in=ticked)
    on = request.POST.get("on") == "true"
    changed = turn_video_calls(connection, chosen, on=on, actor=current_member(request))
    messages.success(request, _turned_sentence(changed, on))
    return back_to_dashboard(connection, back)


def is_by_script(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page; after Back it asks for the whole."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def _dashboard_context(request: HttpRequest, connection: Connection) -> dict[str, Any]:
    table_filter = TableFilter(request.GET)
    page = page_of(connection, table_filter, request.GET.get("page"))
    platform, rows = platform_of(connection), rows_of(connection, list(page.object_list))
    needs_coverage = platform.coverage_needed(connection)
    return {
        "connection": connection,
        "account": platform.account(connection),
        "health": health_of(connection),
        **run_context(connection),
        "tiles": tiles_of(connection),
        "filter": table_filter,
        "page": page,
        "rows_per_page": table_filter.rows_per_page,
        "row_choices": ROWS,
        "rows": rows,
        "unsettled": [row.member.pk for row in rows if row.is_unsettled],
        "needing_grant": needing_grant(connection).count() if needs_coverage else 0,
        "query": request.GET.urlencode(),
    }


def back_to_dashboard(connection: Connection, query: str) -> HttpResponseRedirect:
    """The dashboard as it was; only the known names of the table's address survive."""
    known = {*TableFilter.base_fields, "page"}
    kept = {name: value for name, value in QueryDict(query).items() if name in known}
    return redirect(reverse("connection", args=[connection.pk], query=kept or None))


def _turned_sentence(changed: int, on: bool) -> str:
    if on:
        return ngettext(
            "Video Calls is on for %(count)d more person.",
            "Video Calls is on for %(count)d more people.",
            changed,
        ) % {"count": changed}
    return ngettext(
        "Video Calls is off for %(count)d more person.",
        "Video Calls is off for %(count)d more people.",
        changed,
    ) % {"count": changed}
