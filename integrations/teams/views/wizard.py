"""The connect wizard: one question a page, then off to Microsoft."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.platforms.values import PlatformError
from integrations.teams.access_policy.guide import DOCUMENTATION, letter, setup_commands
from integrations.teams.addons import ACCESS_POLICY
from integrations.teams.connect import session
from integrations.teams.connect.decorators import posted, render_exit, see_other, with_what_next, wizard_page
from integrations.teams.connect.redirects import depart
from integrations.teams.connect.session import WizardAnswers
from integrations.teams.entra.tenants import TenantProblem, resolve_tenant
from integrations.teams.forms import MatchFieldForm, PolicyForm, TenantForm
from integrations.teams.models import Method
from integrations.views.access import connection_or_404
from staff.access import current_member, current_organization


@wizard_page
def policy(request: HttpRequest) -> HttpResponse:
    """Where the add-on is on, the first question: whether the Application Access Policy was made."""
    organization = current_organization(request)
    if not organization.has_addon(ACCESS_POLICY.slug):
        return redirect("teams-connect")
    form = PolicyForm(
        posted(request), initial={"acknowledged": session.answers(request.session).get("acknowledged")}
    )
    if form.is_valid():
        session.remember(request.session, method=Method.ACCESS_POLICY, acknowledged="yes")
        return see_other(reverse("teams-connect"))
    context = {
        "form": form,
        "client_id": settings.MICROSOFT_CLIENT_ID,
        "commands": setup_commands(),
        "letter": letter(organization),
        "documentation": DOCUMENTATION,
    }
    return render(request, "teams/policy.html", context)


@wizard_page
def use_service_account(request: HttpRequest) -> HttpResponse:
    """The other method, for an organisation that has the choice."""
    session.remember(request.session, method=Method.SERVICE_ACCOUNT)
    return redirect("teams-connect")


@wizard_page
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Connect again what was disconnected: the questions, with the answers of the last time."""
    connection = connection_or_404(request, pk)
    teams = connection.teams
    session.remember(
        request.session,
        method=teams.method,
        match_field=connection.match_field,
        tenant=str(teams.tenant_id),
    )
    words = _(
        "To get this connection back, sign in to Microsoft as %(account)s. Another account makes another one."
    )
    if teams.method == Method.SERVICE_ACCOUNT:
        messages.info(request, words % {"account": teams.account_upn})
    return redirect("teams-policy" if method_of(request) == Method.ACCESS_POLICY else "teams-connect")


@wizard_page
def connect(request: HttpRequest) -> HttpResponse:
    """Which field holds the UPN: the first question of the Service Account method, the second of the other."""
    known = session.answers(request.session)
    if current_organization(request).has_addon(ACCESS_POLICY.slug) and "method" not in known:
        return redirect("teams-policy")
    form = MatchFieldForm(posted(request), initial=known)
    if form.is_valid():
        session.remember(request.session, match_field=form.cleaned_data["match_field"])
        return see_other(reverse("teams-tenant"))
    context = {
        "form": form,
        "example": current_member(request),
        "method": method_of(request),
        "has_access_policy_addon": current_organization(request).has_addon(ACCESS_POLICY.slug),
    }
    return render(request, "teams/connect.html", context)


@wizard_page
def tenant(request: HttpRequest) -> HttpResponse:
    """The last question: which tenant; then off to Microsoft."""
    known = session.answers(request.session)
    if "match_field" not in known:
        return redirect("teams-connect")
    form = TenantForm(posted(request), initial=known)
    if form.is_valid():
        try:
            return see_other(_depart(request, form.cleaned_data["tenant"]))
        except TenantProblem as problem:
            form.add_error("tenant", str(problem))
        except PlatformError as problem:
            form.add_error(None, with_what_next(problem))
    return render_exit(request, "teams/tenant.html", {"form": form, "method": method_of(request)})


def _depart(request: HttpRequest, typed: str) -> str:
    session.remember(request.session, tenant=typed)
    found = resolve_tenant(typed)
    match_field = session.answers(request.session)["match_field"]
    return depart(
        request.session, found, WizardAnswers(found.id, found.domain, match_field, method_of(request).value)
    )


def method_of(request: HttpRequest) -> Method:
    """How the wizard connects; the add-on may have been switched off since it was asked."""
    chosen = session.answers(request.session).get("method")
    if chosen == Method.ACCESS_POLICY and current_organization(request).has_addon(ACCESS_POLICY.slug):
        return Method.ACCESS_POLICY
    return Method.SERVICE_ACCOUNT
