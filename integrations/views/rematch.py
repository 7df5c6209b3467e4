"""Actions > Rematch users, how far a rematch is, and its result."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from integrations.connections.health import health_of
from integrations.dashboard.counts import tiles_of
from integrations.matching.rematch_csv import changes_file
from integrations.matching.rematch_report import progress_of, result_of, shown_run
from integrations.matching.rematch_runs import RunUnderWay, dismiss, start_failed_run, start_new_run
from integrations.models import Connection, RematchRun, RematchTrigger
from integrations.platforms.registry import platform_of
from integrations.views.access import connection_or_404, while_connected
from staff.access import admin_only, current_member


@admin_only
@while_connected
def rematch(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask once more, then start to rematch everybody and return at once."""
    connection = connection_or_404(request, pk)
    if request.method == "POST":
        try:
            start_new_run(connection, trigger=RematchTrigger.ADMIN, started_by=current_member(request))
        except RunUnderWay as refusal:
            messages.info(request, str(refusal))
        return redirect("connection", connection.pk)
    context = {"connection": connection, "platform": platform_of(connection)}
    return render(request, "integrations/rematch.html", context)


@admin_only
@require_POST
@while_connected
def rematch_failed(request: HttpRequest, pk: int, run_pk: int) -> HttpResponse:
    """Rematch whoever is not Matched after a run, and whom it did not reach."""
    connection = connection_or_404(request, pk)
    try:
        start_failed_run(_rematch_or_404(connection, run_pk), started_by=current_member(request))
    except RunUnderWay as refusal:
        messages.info(request, str(refusal))
    return redirect("connection", connection.pk)


@admin_only
@require_GET
@while_connected
def rematch_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the dashboard that tells how far a rematch is; at its end the table is told to look again."""
    connection = connection_or_404(request, pk)
    context = {
        "connection": connection,
        **run_context(connection),
        "swap": True,
        "tiles": tiles_of(connection),
        "health": health_of(connection),
    }
    response = render(request, "integrations/_run_news.html", context)
    return response if context["progress"] else trigger_client_event(response, "rematched")


@admin_only
@require_POST
def rematch_dismiss(request: HttpRequest, pk: int, run_pk: int) -> HttpResponse:
    """The result was read: it is shown no more."""
    connection = connection_or_404(request, pk)
    dismiss(_rematch_or_404(connection, run_pk))
    return redirect("connection", connection.pk)


@admin_only
@require_GET
def rematch_changes(request: HttpRequest, pk: int, run_pk: int) -> HttpResponse:
    """Who changed from what to what in a run, or would in a preview, as a CSV file."""
    connection = connection_or_404(request, pk)
    run = get_object_or_404(RematchRun.objects.select_related("connection"), pk=run_pk, connection=connection)
    response = StreamingHttpResponse(changes_file(run), content_type="text/csv; charset=utf-8")
    name = f"{'preview' if run.is_preview else 'rematch'}-{run.started_at:%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return cast(HttpResponse, response)


def run_context(connection: Connection) -> dict[str, Any]:
    """What `integrations/_run.html` shows: how far the rematch is, how the last one ended, or nothing."""
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
