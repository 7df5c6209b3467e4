"""A connection's page "Health and history": how it does, what failed, what may be chosen, what happened."""

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

from integrations.connections.health import health_of, paused_until, work_of
from integrations.connections.history import events_of
from integrations.connections.self_test import ask_for_check, latest_check
from integrations.events import note_event
from integrations.meetings import failed as failed_links
from integrations.meetings.reconciliation_news import news_of
from integrations.models import Connection, EventKind, UserMatch
from integrations.monitoring import capacity, drift_report
from integrations.platforms.registry import platform_of
from integrations.platforms.settings_form import SettingsForm
from integrations.views.access import connection_or_404
from staff.access import admin_only, current_member
from staff.pagination import list_context

# How many people are named in one sentence.
_NAMED = 3


@admin_only
@require_safe
def health(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole page."""
    connection = connection_or_404(request, pk)
    form = platform_of(connection).settings_form(connection) if connection.is_live else None
    return _page(request, connection, form)


@admin_only
@require_http_methods(["GET", "POST"])
@never_cache
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """POST has a worker check the connection; GET is, for htmx, how far that is."""
    connection = connection_or_404(request, pk)
    if request.method == "POST":
        _ask_for_check(request, connection)
    if "HX-Request" not in request.headers:
        return _back(connection)
    return render(request, "integrations/_check.html", {**_health_context(connection), "swap": True})


@admin_only
@require_POST
def settings(request: HttpRequest, pk: int) -> HttpResponse:
    """Store what the platform lets admins choose."""
    connection = connection_or_404(request, pk)
    form = platform_of(connection).settings_form(connection, request.POST) if connection.is_live else None
    if form is None:
        messages.error(request, _("Nothing can be chosen for a connection that is disconnected."))
        return _back(connection)
    if not form.is_valid():
        return _page(request, connection, form)
    changed = form.save()
    if changed:
        note_event(connection, EventKind.SETTINGS_CHANGED, current_member(request), changed)
    messages.success(request, _("Saved."))
    return _back(connection)


@admin_only
@require_POST
def try_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Try one failed link again (`meeting`), or all of them."""
    connection = connection_or_404(request, pk)
    meeting_id = _uuid(request.POST.get("meeting", ""))
    if "meeting" in request.POST and meeting_id is None:
        tried = failed_links.Tried(0)
    else:
        tried = failed_links.try_again(connection, meeting_id, current_member(request))
    _say_tried(request, connection, tried)
    return _back(connection)


def _ask_for_check(request: HttpRequest, connection: Connection) -> None:
    if _can_check(connection):
        ask_for_check(connection, current_member(request))
    else:
        messages.error(request, _("A connection that is disconnected or paused cannot be checked now."))


def _can_check(connection: Connection) -> bool:
    """Asking a platform that wants a pause would make the pause longer."""
    return connection.is_live and paused_until(connection) is None


def _page(request: HttpRequest, connection: Connection, form: SettingsForm | None) -> HttpResponse:
    failed = failed_links.page_of(connection, request.GET.get("failed"))
    drift = drift_report.page_of(connection, request.GET.get("drift"))
    context: dict[str, Any] = {
        **_health_context(connection),
        "paused_until": paused_until(connection),
        "work": work_of(connection),
        "needing_permission": _needing_grant(connection),
        "form": form,
        "failed": failed,
        "failed_links": failed_links.links_on(failed),
        "news": news_of(connection),
        "drift": drift,
        "last_look": drift_report.last_look_of(connection),
        "load": capacity.load_of(connection),
        "drift_rows": drift_report.rows_on(connection, drift),
        **list_context(request, events_of(connection)),
    }
    return render(request, "integrations/health.html", context)


def _needing_grant(connection: Connection) -> int:
    """How many people one script would let us host as."""
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


def _back(connection: Connection) -> HttpResponseRedirect:
    return redirect("connection-health", connection.pk)


def _say_tried(request: HttpRequest, connection: Connection, tried: failed_links.Tried) -> None:
    number = tried.number
    if not number:
        messages.info(request, _("There is nothing that could be tried again."))
        return
    sentence = ngettext("%d link is being tried again.", "%d links are being tried again.", number) % number
    if not connection.is_healthy:
        sentence = f"{sentence} {_('That begins once the connection is reauthorized.')}"
    messages.success(request, sentence)
    if tried.hindered:
        messages.warning(request, _hindered_words(tried.hindered))


def _hindered_words(hindered: tuple[str, ...]) -> str:
    """The first few by name: whoever tries all again may have hundreds."""
    sentence = _("Not everybody can host there now, so that links may fail again.")
    sentences = [sentence, *hindered[:_NAMED]]
    more = len(hindered) - _NAMED
    if more > 0:
        sentences.append(ngettext("And %d more person.", "And %d more people.", more) % more)
    return " ".join(sentences)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
