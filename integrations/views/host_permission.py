"""What an admin does about people whom the platform does not let us host as, and how it goes on by itself."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from integrations.dashboard.counts import tiles_of
from integrations.dashboard.rows import rows_of
from integrations.matching.host_permission_report import grant_script, report_permission
from integrations.matching.rematch_runs import people_of
from integrations.models import Connection, UserMatch
from integrations.platforms.registry import platform_of
from integrations.views.access import connection_or_404, while_connected
from integrations.views.dashboard import back_to_dashboard, is_by_script
from staff.access import admin_only, current_member
from staff.models import StaffMember

#: A longer script is downloaded, not read.
READABLE = 500
#: As many as a page of the table has.
MOST_ROWS = 100


@admin_only
@require_POST
@while_connected
def granted(request: HttpRequest, pk: int, staff_pk: int) -> HttpResponse:
    """ "I ran it" for one person: from now on they wait for the platform."""
    connection = connection_or_404(request, pk)
    person = get_object_or_404(StaffMember, pk=staff_pk, organization=connection.organization_id)
    report_permission(connection, StaffMember.objects.filter(pk=person.pk), current_member(request))
    if not is_by_script(request):
        return back_to_dashboard(connection, request.POST.get("back", ""))
    row = rows_of(connection, [person])[0]
    context = {
        **_row_context(connection, request.POST.get("back", "")),
        "tiles": tiles_of(connection),
        "row": row,
        "unsettled": [person.pk] if row.is_unsettled else [],
    }
    return render(request, "integrations/_granted.html", context)


@admin_only
@while_connected
def script(request: HttpRequest, pk: int) -> HttpResponse:
    """One script for everybody who needs it: to copy or download, and "I ran it" for all of them."""
    connection = connection_or_404(request, pk)
    if request.method == "POST":
        count = report_permission(connection, people_of(connection), current_member(request))
        messages.success(request, _reported_sentence(count))
        return redirect("connection", connection.pk)
    if "download" in request.GET:
        return _download(connection)
    count = UserMatch.objects.needing_permission(connection).count()
    context = {"connection": connection, "platform": platform_of(connection), "count": count}
    if 0 < count <= READABLE:
        context["script"] = grant_script(connection)
    return render(request, "integrations/grant_script.html", context)


def _download(connection: Connection) -> HttpResponse:
    name = platform_of(connection).grant_script_name
    return HttpResponse(
        grant_script(connection),
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@admin_only
@require_safe
@while_connected
def unsettled(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows of the asked people that have an answer by now, and a new question about the others."""
    connection = connection_or_404(request, pk)
    asked = [int(value) for value in request.GET.getlist("staff") if value.isdecimal() and len(value) < 19]
    members = people_of(connection).filter(pk__in=asked[:MOST_ROWS]).order_by("pk")
    rows = rows_of(connection, list(members))
    settled = [row for row in rows if not row.is_unsettled]
    context = {
        **_row_context(connection, request.GET.get("back", "")),
        # Counting everybody is for when something has changed.
        "tiles": tiles_of(connection) if settled else None,
        "needing_permission": UserMatch.objects.needing_permission(connection).count() if settled else 0,
        "settled": settled,
        "unsettled": [row.member.pk for row in rows if row.is_unsettled],
    }
    return render(request, "integrations/_settled.html", context)


def _row_context(connection: Connection, query: str) -> dict[str, object]:
    return {
        "connection": connection,
        "platform": platform_of(connection),
        "query": query,
    }


def _reported_sentence(count: int) -> str:
    return ngettext(
        "%(count)d user is looked at again and again until the policy has spread. You see it here.",
        "%(count)d users are looked at again and again until the policy has spread. You see it here.",
        count,
    ) % {"count": count}
