"""To Microsoft and back: the page that opens Microsoft, the callback, and the page that waits for a fresh consent."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

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
from integrations.teams.connect.callback import CallbackResult, NextStep, finish_consent, handle_callback
from integrations.teams.connect.decorators import with_next_step
from integrations.teams.connect.reauthorize import Disconnected
from integrations.teams.connect.runs import (
    RUN_PARAMETER,
    RunExpired,
    answers_of,
    end_run,
    latest_wizard_run,
    page_of_run,
)
from integrations.teams.connect.session import (
    PendingSignInExpired,
    WizardAnswers,
    open_pending_sign_in,
    pending_consent,
    take_pending_sign_in,
)
from integrations.teams.connect.store import NotOffered
from integrations.teams.models import Method, TeamsConnection
from staff.access import admin_only, current_member, current_organization


@admin_only
@never_cache
@require_GET
def opening(request: HttpRequest) -> HttpResponse:
    """Forward the browser to Microsoft, once. Back and Reload show a button, so that Back leads further back.

    The address comes from the session only, so that no link can choose it.
    """
    try:
        address, is_first = open_pending_sign_in(request.session, request.GET.get(RUN_PARAMETER, ""))
    except PendingSignInExpired as problem:
        return _redirect_expired(request, problem)
    context = {"address": address, "host": urlsplit(address).hostname, "opens_at_once": is_first}
    response = render(request, "teams/opening.html", context)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


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
        pending = take_pending_sign_in(request.session, request.GET.get("state", ""))
    except PendingSignInExpired as problem:
        return _redirect_expired(request, problem)
    organization, member = current_organization(request), current_member(request)

    def result() -> CallbackResult:
        return handle_callback(request.session, pending, organization, member, request.GET.dict())

    return _respond(request, pending.run, pending.answers, result)


@admin_only
@never_cache
@require_http_methods(["GET", "POST"])
def waiting(request: HttpRequest) -> HttpResponse:
    """Wait for a consent that app tokens don't show yet. A POST checks again."""
    run = request.GET.get(RUN_PARAMETER, "")
    try:
        consent = pending_consent(request.session, run)
    except PendingSignInExpired as problem:
        return _redirect_expired(request, problem)
    if request.method == "GET":
        return render(request, "teams/waiting.html", {"missing": consent.missing})
    organization, member = current_organization(request), current_member(request)

    def result() -> CallbackResult:
        return finish_consent(request.session, run, organization, member)

    return _respond(request, run, consent.answers, result)


def _respond(
    request: HttpRequest, run: str, answers: WizardAnswers, get_result: Callable[[], CallbackResult]
) -> HttpResponse:
    """Redirect to the next step, to the dashboard, or back to the form with a sentence."""
    try:
        result = get_result()
    except PlatformError as problem:
        return _redirect_back(request, run, answers, problem)
    except (AlreadyConnected, NotOffered, Disconnected) as problem:
        messages.error(request, str(problem))
        return redirect("video-calls")
    if isinstance(result, NextStep):
        return redirect(result.address)
    end_run(request.session, run)
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


def _redirect_back(request: HttpRequest, run: str, answers: WizardAnswers, problem: PlatformError) -> HttpResponse:
    is_reauthorization = answers.connection_id is not None
    messages.error(request, with_next_step(problem, reauthorizing=is_reauthorization))
    if is_reauthorization:
        return redirect("teams-reauthorize", answers.connection_id)
    return redirect(page_of_run("teams-tenant", run))


def _redirect_expired(request: HttpRequest, problem: PendingSignInExpired) -> HttpResponse:
    """Redirect to the form that the sign-in was started from. If it isn't known, use the latest run of the wizard."""
    run = problem.run or latest_wizard_run(request.session)
    try:
        answers = answers_of(request.session, run)
    except RunExpired:
        answers = {}
    if "match_field" in answers:
        messages.error(request, f"{problem} {_('Start again with Continue.')}")
        return redirect(page_of_run("teams-tenant", run))
    messages.error(request, f"{problem} {_('Start again.')}")
    connection = answers.get("connection")
    return redirect("teams-reauthorize", connection) if connection else redirect("video-calls")
