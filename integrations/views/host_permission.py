"""Grant a missing host permission: scripts for an administrator, and polling until the permission is there."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from integrations.dashboard.counts import count_users
from integrations.dashboard.rows import user_rows
from integrations.matching.host_permission_report import grant_scripts, report_permission
from integrations.matching.rematch_runs import people_of
from integrations.models import Connection, UserMatch
from integrations.platforms.registry import platform_of
from integrations.views.access import is_htmx, while_connected
from integrations.views.dashboard import back_to_dashboard
from staff.access import admin_only, current_member
from staff.models import StaffMember

#: People in scripts that are shown on the page. Longer scripts are a download only.
MAX_SHOWN = 500
#: Rows in one poll: the longest page of the table.
MAX_ROWS = 100


@admin_only
@require_POST
@while_connected
def granted(request: HttpRequest, connection: Connection, staff_pk: int) -> HttpResponse:
    """Handle "I ran it" for one person: start to poll the platform."""
    person = get_object_or_404(StaffMember, pk=staff_pk, organization=connection.organization_id)
    report_permission(connection, StaffMember.objects.filter(pk=person.pk), current_member(request))
    if not is_htmx(request):
        return back_to_dashboard(connection, request.POST.get("back", ""))
    row = user_rows(connection, [person])[0]
    context = {
        **_row_context(connection, request.POST.get("back", "")),
        "counts": count_users(connection),
        "row": row,
        "unsettled": [person.pk] if row.is_unsettled else [],
    }
    return render(request, "integrations/dashboard/_permission_reported.html", context)


@admin_only
@while_connected
def script(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Show or download the scripts for all people without permission; handle "I ran it" for all of them."""
    if request.method == "POST":
        count = report_permission(connection, people_of(connection), current_member(request))
        messages.success(request, _reported_sentence(connection, count))
        return redirect("connection", connection.pk)
    if "download" in request.GET:
        return _script_download(connection)
    count = UserMatch.objects.needing_permission(connection).count()
    context = {"connection": connection, "platform": platform_of(connection), "count": count}
    if 0 < count <= MAX_SHOWN:
        context["scripts"] = grant_scripts(connection)
    return render(request, "integrations/host_permission/script.html", context)


def _script_download(connection: Connection) -> HttpResponse:
    name = platform_of(connection).grant_script_name
    return HttpResponse(
        "\n".join(script.code for script in grant_scripts(connection)),
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@admin_only
@require_safe
@while_connected
def unsettled(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Return the rows that have a result now, and a new poll for the others (`staff`)."""
    polled = [int(value) for value in request.GET.getlist("staff") if value.isdecimal() and len(value) < 19]
    members = people_of(connection).filter(pk__in=polled[:MAX_ROWS]).order_by("pk")
    rows = user_rows(connection, list(members))
    settled = [row for row in rows if not row.is_unsettled]
    context = {
        **_row_context(connection, request.GET.get("back", "")),
        # Counts change only when a row does.
        "counts": count_users(connection) if settled else None,
        "needing_permission": UserMatch.objects.needing_permission(connection).count() if settled else 0,
        "settled": settled,
        "unsettled": [row.member.pk for row in rows if row.is_unsettled],
    }
    return render(request, "integrations/dashboard/_settled_rows.html", context)


def _row_context(connection: Connection, query: str) -> dict[str, object]:
    return {"connection": connection, "platform": platform_of(connection), "query": query}


def _reported_sentence(connection: Connection, count: int) -> str:
    return ngettext(
        "%(count)d user is looked at again and again until the %(permission)s has spread. You see it here.",
        "%(count)d users are looked at again and again until the %(permission)s has spread. You see it here.",
        count,
    ) % {"count": count, "permission": platform_of(connection).host_permission_label}
