"""Page "Health and history" of a connection: self-test, failed links, settings and events."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.connections.health import events_of, health_of, paused_until, pending_work_of
from integrations.connections.self_test import latest_check, request_check
from integrations.event_text import event_text
from integrations.events import record_event
from integrations.meetings import failed as failed_links
from integrations.meetings.reconciliation_report import report_of
from integrations.models import Connection, EventKind, UserMatch
from integrations.monitoring import capacity_report, drift_report
from integrations.platforms.registry import platform_of
from integrations.platforms.settings_form import SettingsForm
from integrations.views.access import is_htmx, with_connection
from staff.access import admin_only, current_member
from staff.pagination import list_context

#: People named in one message.
MAX_NAMES = 3


@admin_only
@require_safe
@with_connection
def health(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Show the page."""
    form = platform_of(connection).settings_form(connection) if connection.is_live else None
    return _render_page(request, connection, form)


@admin_only
@require_http_methods(["GET", "POST"])
@never_cache
@with_connection
def check(request: HttpRequest, connection: Connection) -> HttpResponse:
    """On POST, start a self-test in a worker; on GET, return its progress to htmx."""
    if request.method == "POST":
        if _can_check(connection):
            request_check(connection, current_member(request))
        else:
            messages.error(request, _("A connection that is disconnected or paused cannot be checked now."))
    if not is_htmx(request):
        return _back_to_health(connection)
    return render(request, "integrations/health/_self_test.html", {**_health_context(connection), "swap": True})


@admin_only
@require_POST
@with_connection
def settings(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Save the settings that the platform offers to admins."""
    form = platform_of(connection).settings_form(connection, request.POST) if connection.is_live else None
    if form is None:
        messages.error(request, _("Nothing can be chosen for a connection that is disconnected."))
        return _back_to_health(connection)
    if not form.is_valid():
        return _render_page(request, connection, form)
    change = form.save()
    if change is not None:
        code, params = change
        record_event(connection, EventKind.SETTINGS_CHANGED, current_member(request), code=code, **params)
    messages.success(request, _("Saved."))
    return _back_to_health(connection)


@admin_only
@require_POST
@with_connection
def try_again(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Retry one failed link (`meeting`), or all of them."""
    meeting_id = _uuid_or_none(request.POST.get("meeting", ""))
    if "meeting" in request.POST and meeting_id is None:
        tried = failed_links.RetryResult(0)
    else:
        tried = failed_links.try_again(connection, meeting_id, current_member(request))
    _add_retry_messages(request, connection, tried)
    return _back_to_health(connection)


def _can_check(connection: Connection) -> bool:
    """Return whether a self-test is allowed. Calling a platform during a pause would extend the pause."""
    return connection.is_live and paused_until(connection) is None


def _render_page(request: HttpRequest, connection: Connection, form: SettingsForm | None) -> HttpResponse:
    failed = failed_links.page_of(connection, request.GET.get("failed"))
    drift = drift_report.page_of(connection, request.GET.get("drift"))
    history = list_context(request, events_of(connection))
    context: dict[str, Any] = {
        **_health_context(connection),
        "paused_until": paused_until(connection),
        "work": pending_work_of(connection),
        "needing_permission": _count_without_permission(connection),
        "form": form,
        "failed": failed,
        "failed_links": failed_links.rows_on(failed),
        "reconciliation": report_of(connection),
        "drift": drift,
        "drift_checked_at": drift_report.last_watched_at(connection),
        "usage": capacity_report.largest_usage(connection),
        "drift_rows": drift_report.rows_on(connection, drift),
        **history,
        "history": [(event, event_text(event)) for event in history["page"]],
    }
    return render(request, "integrations/health/page.html", context)


def _count_without_permission(connection: Connection) -> int:
    """Count the staff members without the host permission, which one script can grant."""
    if not connection.is_live or not platform_of(connection).needs_host_permission(connection):
        return 0
    return UserMatch.objects.needing_permission(connection).count()


def _health_context(connection: Connection) -> dict[str, Any]:
    return {
        "connection": connection,
        "platform": platform_of(connection),
        "health": health_of(connection),
        "check": latest_check(connection),
        "can_check": _can_check(connection),
    }


def _back_to_health(connection: Connection) -> HttpResponseRedirect:
    return redirect("connection-health", connection.pk)


def _add_retry_messages(request: HttpRequest, connection: Connection, tried: failed_links.RetryResult) -> None:
    number = tried.number
    if not number:
        messages.info(request, _("There is nothing that could be tried again."))
        return
    sentence = ngettext("%d link is being tried again.", "%d links are being tried again.", number) % number
    if not connection.is_healthy:
        sentence = f"{sentence} {_('That begins once the connection is reauthorized.')}"
    messages.success(request, sentence)
    if tried.blocked_hosts:
        messages.warning(request, _cannot_host_sentence(tried.blocked_hosts))


def _cannot_host_sentence(blocked_hosts: tuple[str, ...]) -> str:
    """Name the first few people only, because a retry of all links can concern hundreds."""
    sentence = _("Not everybody can host there now, so that links may fail again.")
    sentences = [sentence, *blocked_hosts[:MAX_NAMES]]
    more = len(blocked_hosts) - MAX_NAMES
    if more > 0:
        sentences.append(ngettext("And %d more person.", "And %d more people.", more) % more)
    return " ".join(sentences)


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
