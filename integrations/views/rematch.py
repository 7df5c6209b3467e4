"""Actions > Rematch users: start, progress and result of a rematch."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from integrations.connections.health import health_of
from integrations.dashboard.counts import count_users
from integrations.matching.rematch_csv import changes_file
from integrations.matching.rematch_report import progress_of, result_of, shown_run
from integrations.matching.rematch_runs import RunUnderWay, dismiss, start_failed_run, start_new_run
from integrations.models import Connection, RematchRun, RematchTrigger
from integrations.platforms.registry import platform_of
from integrations.views.access import while_connected, with_connection
from staff.access import admin_only, current_member


@admin_only
@while_connected
def rematch(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Ask for confirmation; on POST, start to rematch all staff in the background."""
    if request.method == "POST":
        try:
            start_new_run(connection, trigger=RematchTrigger.ADMIN, started_by=current_member(request))
        except RunUnderWay as error:
            messages.info(request, str(error))
        return redirect("connection", connection.pk)
    context = {"connection": connection, "platform": platform_of(connection)}
    return render(request, "integrations/rematch/confirm.html", context)


@admin_only
@require_POST
@while_connected
def rematch_failed(request: HttpRequest, connection: Connection, run_pk: int) -> HttpResponse:
    """Rematch the staff who aren't Matched after a run, or that the run did not reach."""
    try:
        start_failed_run(_rematch_or_404(connection, run_pk), started_by=current_member(request))
    except RunUnderWay as error:
        messages.info(request, str(error))
    return redirect("connection", connection.pk)


@admin_only
@require_GET
@while_connected
def rematch_progress(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Return the progress to htmx; at the end, the event "rematched" makes the table reload."""
    context = {
        "connection": connection,
        **run_context(connection),
        "swap": True,
        "counts": count_users(connection),
        "health": health_of(connection),
    }
    response = render(request, "integrations/rematch/_run_status.html", context)
    return response if context["progress"] else trigger_client_event(response, "rematched")


@admin_only
@require_POST
@with_connection
def rematch_dismiss(request: HttpRequest, connection: Connection, run_pk: int) -> HttpResponse:
    """Hide the result of a run."""
    dismiss(_rematch_or_404(connection, run_pk))
    return redirect("connection", connection.pk)


@admin_only
@require_GET
@with_connection
def rematch_changes(request: HttpRequest, connection: Connection, run_pk: int) -> HttpResponse:
    """Return the changes of a run, or those that a preview expects, as a CSV file."""
    run = get_object_or_404(RematchRun.objects.select_related("connection"), pk=run_pk, connection=connection)
    response = StreamingHttpResponse(changes_file(run), content_type="text/csv; charset=utf-8")
    name = f"{'preview' if run.is_preview else 'rematch'}-{run.started_at:%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return cast(HttpResponse, response)


def run_context(connection: Connection) -> dict[str, Any]:
    """Return the context of `integrations/rematch/_run.html`: progress or result of the last run, if any."""
    run = shown_run(connection)
    is_running = run is not None and run.is_running
    return {
        "platform": platform_of(connection),
        "progress": progress_of(run) if run is not None and is_running else None,
        "result": result_of(run) if run is not None and not is_running else None,
    }


def _rematch_or_404(connection: Connection, run_pk: int) -> RematchRun:
    return get_object_or_404(
        RematchRun.objects.rematches().select_related("connection"), pk=run_pk, connection=connection
    )
