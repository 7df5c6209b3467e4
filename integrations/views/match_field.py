"""Change the match field: choose a field, preview the effect, and confirm."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from integrations.connections.forms import MatchFieldChangeForm
from integrations.matching.match_field import (
    MatchFieldError,
    change_match_field,
    open_preview,
    other_field,
    preview_result_of,
)
from integrations.matching.rematch_report import progress_of
from integrations.matching.rematch_runs import RunUnderWay, dismiss, start_preview
from integrations.models import Connection, MatchField, RematchRun, RematchState
from integrations.platforms.registry import platform_of
from integrations.views.access import is_htmx, while_connected, with_connection
from staff.access import admin_only, current_member


@admin_only
@while_connected
def choose(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Choose the field; on POST, start a preview. Redirect to an open preview, if there is one."""
    preview = open_preview(connection)
    if preview is not None and request.method != "POST":
        return redirect("connection-field-preview", connection.pk, preview.pk)
    form = MatchFieldChangeForm(connection, request.POST or None, initial={"match_field": other_field(connection)})
    if not form.is_valid():
        context = {"connection": connection, "platform": platform_of(connection), "form": form}
        return render(request, "integrations/match_field/choose.html", context)
    try:
        field = MatchField(form.cleaned_data["match_field"])
        preview = start_preview(connection, field, started_by=current_member(request))
    except RunUnderWay as error:
        messages.info(request, str(error))
        return redirect("connection", connection.pk)
    return redirect("connection-field-preview", connection.pk, preview.pk)


@admin_only
@require_GET
@while_connected
def preview(request: HttpRequest, connection: Connection, run_pk: int) -> HttpResponse:
    """Show progress and result of the preview; for htmx, only that part."""
    run = _preview_or_404(connection, run_pk)
    if run.dismissed_at is not None:
        return redirect("connection-field", connection.pk)
    template = "_preview.html" if is_htmx(request) else "preview.html"
    return render(request, f"integrations/match_field/{template}", _preview_context(connection, run))


@admin_only
@require_POST
@while_connected
def change(request: HttpRequest, connection: Connection, run_pk: int) -> HttpResponse:
    """Use the previewed field, and rematch all staff."""
    try:
        change_match_field(_preview_or_404(connection, run_pk), actor=current_member(request))
    except (MatchFieldError, RunUnderWay) as error:
        messages.error(request, str(error))
    return redirect("connection", connection.pk)


@admin_only
@require_POST
@with_connection
def cancel(request: HttpRequest, connection: Connection, run_pk: int) -> HttpResponse:
    """Discard the preview. Matches stay as they are."""
    dismiss(_preview_or_404(connection, run_pk))
    return redirect("connection", connection.pk)


def _preview_or_404(connection: Connection, run_pk: int) -> RematchRun:
    return get_object_or_404(RematchRun.objects.previews(), pk=run_pk, connection=connection)


def _preview_context(connection: Connection, run: RematchRun) -> dict[str, Any]:
    return {
        "connection": connection,
        "platform": platform_of(connection),
        "run": run,
        "progress": progress_of(run) if run.is_running else None,
        "result": preview_result_of(run) if run.state == RematchState.SUCCEEDED else None,
    }
