"""Actions > Reauthorize."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from integrations.connections.lifecycle import AlreadyConnected
from integrations.meetings.organizers import upcoming_meetings
from integrations.models import Connection
from integrations.platforms.values import PlatformError
from integrations.teams.access_policy.guide import DOCUMENTATION
from integrations.teams.connect.decorators import connect_page, form_data, see_other, with_next_step
from integrations.teams.connect.pending_account import forget_pending_account, pending_account
from integrations.teams.connect.reauthorize import Disconnected, answers_for, use_new_account
from integrations.teams.connect.redirects import start_authorization
from integrations.teams.connect.runs import start_run
from integrations.teams.connect.session import PendingSignInExpired
from integrations.teams.connect.verification import VerifiedServiceAccount
from integrations.teams.entra.tenants import TenantProblem, resolve_tenant
from integrations.teams.forms import ReauthorizeForm
from integrations.views.access import connection_or_404
from staff.access import current_member


@connect_page
def reauthorize(request: HttpRequest, pk: int) -> HttpResponse:
    """Request the tenant ID and open Microsoft. Healthy connections can be reauthorized as well."""
    connection = connection_or_404(request, pk)
    if not connection.is_live:
        messages.warning(request, str(Disconnected()))
        return redirect("video-calls")
    form = ReauthorizeForm(form_data(request), initial={"tenant": connection.teams.tenant_id})
    if form.is_valid():
        try:
            return see_other(_start(request, connection, form.cleaned_data["tenant"]))
        except TenantProblem as problem:
            form.add_error("tenant", str(problem))
        except PlatformError as problem:
            form.add_error(None, with_next_step(problem, reauthorizing=True))
    context = {
        "form": form,
        "connection": connection,
        "teams": connection.teams,
        "client_id": settings.MICROSOFT_CLIENT_ID,
        "documentation": DOCUMENTATION,
    }
    return render(request, "teams/reauthorize.html", context)


@connect_page
def new_account(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm that the connection uses the recreated account that has just signed in."""
    connection = connection_or_404(request, pk)
    try:
        account = pending_account(request.session, connection.pk)
    except PendingSignInExpired as problem:
        messages.error(request, f"{problem} {_('Start again.')}")
        return redirect("teams-reauthorize", pk)
    if request.method == "POST":
        return _use_new_account(request, connection, account)
    context = {
        "connection": connection,
        "account": account.identity.upn,
        "warning": account.warning,
        "meetings": upcoming_meetings(connection).count(),
    }
    return render(request, "teams/new_account.html", context)


def _use_new_account(request: HttpRequest, connection: Connection, account: VerifiedServiceAccount) -> HttpResponse:
    forget_pending_account(request.session)
    try:
        use_new_account(connection.pk, current_member(request), account)
    except (PlatformError, AlreadyConnected, Disconnected) as problem:
        messages.error(request, str(problem))
        return redirect("connection", pk=connection.pk)
    sentence = _("Microsoft Teams is reauthorized with the new account. Upcoming meetings get new links in a moment.")
    messages.success(request, sentence)
    if account.warning:
        messages.warning(request, str(account.warning))
    return redirect("connection", pk=connection.pk)


def _start(request: HttpRequest, connection: Connection, typed: str) -> str:
    """Start a run of its own, and return the address of the page that opens Microsoft."""
    tenant = resolve_tenant(typed)
    answers = answers_for(connection.teams, tenant)
    run = start_run(request.session, connection=str(connection.pk))
    return start_authorization(request.session, run, tenant, answers)
