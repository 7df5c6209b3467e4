"""The way back from Microsoft, and the page where a fresh consent is waited for."""

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
from integrations.teams.connect.callback import Onward, Outcome, arrive, settle
from integrations.teams.connect.decorators import with_what_next
from integrations.teams.connect.reauthorize import Disconnected
from integrations.teams.connect.session import WizardAnswers
from integrations.teams.connect.store import NotOffered
from integrations.teams.models import Method, TeamsConnection
from staff.access import admin_only, current_member, current_organization


@never_cache
@require_GET
@login_not_required
def callback(request: HttpRequest) -> HttpResponse:
    """The way back from Microsoft. Its query holds a code: it is never passed on, not even to the sign-in page."""
    if request.user.is_authenticated:
        return _arrive(request)
    messages.warning(
        request,
        _("You were signed out of Coconut meanwhile, so nothing was connected. Sign in and start again."),
    )
    return redirect(f"{reverse('login')}?{urlencode({'next': reverse('video-calls')})}")


@admin_only
def _arrive(request: HttpRequest) -> HttpResponse:
    try:
        attempt = session.take_pending_sign_in(request.session, request.GET.get("state", ""))
    except session.PendingSignInExpired as problem:
        return _nothing_is_waiting(request, problem)
    organization, member = current_organization(request), current_member(request)

    def outcome() -> Outcome:
        return arrive(request.session, attempt, organization, member, request.GET.dict())

    return _answer(request, attempt.answers, outcome)


@admin_only
@never_cache
@require_http_methods(["GET", "POST"])
def waiting(request: HttpRequest) -> HttpResponse:
    """An administrator has consented, but Microsoft's tokens do not show it yet. A POST looks again."""
    try:
        proven = session.proven(request.session)
    except session.PendingSignInExpired as problem:
        return _nothing_is_waiting(request, problem)
    if request.method == "GET":
        return render(request, "teams/waiting.html", {"missing": proven.missing})
    organization, member = current_organization(request), current_member(request)

    def outcome() -> Outcome:
        return settle(request.session, organization, member)

    return _answer(request, proven.answers, outcome)


def _answer(request: HttpRequest, answers: WizardAnswers, outcome: Callable[[], Outcome]) -> HttpResponse:
    """The page that follows: the next step, the dashboard, or back to where the trip began with a sentence."""
    try:
        result = outcome()
    except PlatformError as problem:
        return _back(request, answers, problem)
    except (AlreadyConnected, NotOffered, Disconnected) as problem:
        messages.error(request, str(problem))
        return redirect("video-calls")
    if isinstance(result, Onward):
        return redirect(result.address)
    session.forget(request.session)
    messages.success(request, _success(result, answers))
    return redirect("connection", pk=result.pk)


def _success(connection: Connection, answers: WizardAnswers) -> str:
    # The connection in hand may have been read before its sign-in was renewed.
    teams = TeamsConnection.objects.get(connection=connection)
    if answers.connection_id is not None:
        return _("Microsoft Teams is reauthorized.")
    if teams.method == Method.ACCESS_POLICY:
        return _("Microsoft Teams is connected. Each staff member organises their own meetings.")
    return _(
        "Microsoft Teams is connected. The account %(account)s appears as a participant in every meeting."
    ) % {"account": teams.account_upn}


def _back(request: HttpRequest, answers: WizardAnswers, problem: PlatformError) -> HttpResponse:
    is_renewal = answers.connection_id is not None
    messages.error(request, with_what_next(problem, reauthorizing=is_renewal))
    return redirect("teams-reauthorize", answers.connection_id) if is_renewal else redirect("teams-tenant")


def _nothing_is_waiting(request: HttpRequest, problem: session.PendingSignInExpired) -> HttpResponse:
    """Back to the wizard's last question if there is a wizard under way, else to where everything begins."""
    again = _("Start again with Continue.") if session.answers(request.session) else _("Start again.")
    messages.error(request, f"{problem} {again}")
    return redirect("teams-tenant" if session.answers(request.session) else "video-calls")
