"""Change, beside the field that holds the user names: choose, look what would change, and change it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from integrations.connections.forms import FieldForm
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
from integrations.views.access import connection_or_404, while_connected
from staff.access import admin_only, current_member


@admin_only
@while_connected
def choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the field, then look what it would change. A preview that is there already is shown."""
    connection = connection_or_404(request, pk)
    preview = open_preview(connection)
    if preview is not None and request.method != "POST":
        return redirect("connection-field-preview", connection.pk, preview.pk)
    form = FieldForm(connection, request.POST or None, initial={"match_field": other_field(connection)})
    if not form.is_valid():
        context = {"connection": connection, "platform": platform_of(connection), "form": form}
        return render(request, "integrations/field.html", context)
    try:
        field = MatchField(form.cleaned_data["match_field"])
        preview = start_preview(connection, field, started_by=current_member(request))
    except RunUnderWay as refusal:
        messages.info(request, str(refusal))
        return redirect("connection", connection.pk)
    return redirect("connection-field-preview", connection.pk, preview.pk)


@admin_only
@require_GET
@while_connected
def preview(request: HttpRequest, pk: int, run_pk: int) -> HttpResponse:
    """How far the preview is, and what it found; for htmx only that part."""
    connection = connection_or_404(request, pk)
    run = _preview_or_404(connection, run_pk)
    if run.dismissed_at is not None:
        return redirect("connection-field", connection.pk)
    template = "_preview" if "HX-Request" in request.headers else "field_preview"
    return render(request, f"integrations/{template}.html", _context(connection, run))


@admin_only
@require_POST
@while_connected
def change(request: HttpRequest, pk: int, run_pk: int) -> HttpResponse:
    """Use the other field from now on, and rematch everybody."""
    connection = connection_or_404(request, pk)
    try:
        change_match_field(_preview_or_404(connection, run_pk), actor=current_member(request))
    except (MatchFieldError, RunUnderWay) as refusal:
        messages.error(request, str(refusal))
    return redirect("connection", connection.pk)


@admin_only
@require_POST
def cancel(request: HttpRequest, pk: int, run_pk: int) -> HttpResponse:
    """Drop the preview; nothing has changed."""
    connection = connection_or_404(request, pk)
    dismiss(_preview_or_404(connection, run_pk))
    return redirect("connection", connection.pk)


def _preview_or_404(connection: Connection, run_pk: int) -> RematchRun:
    return get_object_or_404(RematchRun.objects.previews(), pk=run_pk, connection=connection)


def _context(connection: Connection, run: RematchRun) -> dict[str, Any]:
    return {
        "connection": connection,
        "platform": platform_of(connection),
        "run": run,
        "progress": progress_of(run) if run.is_running else None,
        "prospect": preview_result_of(run) if run.state == RematchState.SUCCEEDED else None,
    }
