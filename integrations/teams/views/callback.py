"""Callback of Microsoft's sign-in, and the page that waits for a fresh consent."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from integrations.connections.lifecycle import AlreadyConnected
from integrations.models import Connection
from integrations.platforms.values import PlatformError
from integrations.teams.connect import session
from integrations.teams.connect.callback import CallbackResult, NextStep, finish_consent, handle_callback
from integrations.teams.connect.decorators import with_next_step
from integrations.teams.connect.reauthorize import Disconnected
from integrations.teams.connect.session import WizardAnswers
from integrations.teams.connect.store import NotOffered
from integrations.teams.models import Method, TeamsConnection
from staff.access import admin_only, current_member, current_organization


@never_cache
@require_GET
@login_not_required
def callback(request: HttpRequest) -> HttpResponse:
    """Redirect URI of Microsoft. The query holds a code, so it is never passed on, not even to the sign-in page."""
    if request.user.is_authenticated:
        return _handle_callback(request)
    messages.warning(
        request,
        _("You were signed out of Coconut meanwhile, so nothing was connected. Sign in and start again."),
    )
    return redirect(f"{reverse('login')}?{urlencode({'next': reverse('video-calls')})}")


@admin_only
def _handle_callback(request: HttpRequest) -> HttpResponse:
    try:
        pending = session.take_pending_sign_in(request.session, request.GET.get("state", ""))
    except session.PendingSignInExpired as problem:
        return _redirect_expired(request, problem)
    organization, member = current_organization(request), current_member(request)

    def result() -> CallbackResult:
        return handle_callback(request.session, pending, organization, member, request.GET.dict())

    return _respond(request, pending.answers, result)


@admin_only
@never_cache
@require_http_methods(["GET", "POST"])
def waiting(request: HttpRequest) -> HttpResponse:
    """Wait for a consent that app tokens don't show yet. A POST checks again."""
    try:
        consent = session.pending_consent(request.session)
    except session.PendingSignInExpired as problem:
        return _redirect_expired(request, problem)
    if request.method == "GET":
        return render(request, "teams/waiting.html", {"missing": consent.missing})
    organization, member = current_organization(request), current_member(request)

    def result() -> CallbackResult:
        return finish_consent(request.session, organization, member)

    return _respond(request, consent.answers, result)


def _respond(request: HttpRequest, answers: WizardAnswers, get_result: Callable[[], CallbackResult]) -> HttpResponse:
    """Redirect to the next step, to the dashboard, or back to the form with a sentence."""
    try:
        result = get_result()
    except PlatformError as problem:
        return _redirect_back(request, answers, problem)
    except (AlreadyConnected, NotOffered, Disconnected) as problem:
        messages.error(request, str(problem))
        return redirect("video-calls")
    if isinstance(result, NextStep):
        return redirect(result.address)
    session.clear_wizard(request.session)
    messages.success(request, _success_sentence(result.connection, answers))
    if result.warning:
        messages.warning(request, str(result.warning))
    return redirect("connection", pk=result.connection.pk)


def _success_sentence(connection: Connection, answers: WizardAnswers) -> str:
    # `connection.teams` may hold the row as it was before the sign-in was replaced.
    teams = TeamsConnection.objects.get(connection=connection)
    if answers.connection_id is not None:
        return _("Microsoft Teams is reauthorized.")
    if teams.method == Method.ACCESS_POLICY:
        return _("Microsoft Teams is connected. Each staff member organises their own meetings.")
    return _("Microsoft Teams is connected. The account %(account)s appears as a participant in every meeting.") % {
        "account": teams.account_upn
    }


def _redirect_back(request: HttpRequest, answers: WizardAnswers, problem: PlatformError) -> HttpResponse:
    is_reauthorization = answers.connection_id is not None
    messages.error(request, with_next_step(problem, reauthorizing=is_reauthorization))
    return redirect("teams-reauthorize", answers.connection_id) if is_reauthorization else redirect("teams-tenant")


def _redirect_expired(request: HttpRequest, problem: session.PendingSignInExpired) -> HttpResponse:
    """Redirect to the wizard's last question if it has answers, else to Video Calls."""
    again = _("Start again with Continue.") if session.wizard_answers(request.session) else _("Start again.")
    messages.error(request, f"{problem} {again}")
    return redirect("teams-tenant" if session.wizard_answers(request.session) else "video-calls")
