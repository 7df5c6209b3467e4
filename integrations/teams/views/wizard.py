"""The connect wizard: one question per page, then a redirect to Microsoft."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.platforms.values import PlatformError
from integrations.teams.access_policy.guide import DOCUMENTATION, admin_letter, setup_commands
from integrations.teams.addons import ACCESS_POLICY
from integrations.teams.connect import session
from integrations.teams.connect.decorators import (
    form_data,
    render_sign_in_form,
    see_other,
    with_next_step,
    wizard_page,
)
from integrations.teams.connect.redirects import start_authorization
from integrations.teams.connect.session import WizardAnswers
from integrations.teams.entra.tenants import TenantProblem, resolve_tenant
from integrations.teams.forms import MatchFieldForm, PolicyForm, TenantForm
from integrations.teams.models import Method
from integrations.views.access import connection_or_404
from staff.access import current_member, current_organization


@wizard_page
def policy(request: HttpRequest) -> HttpResponse:
    """First question with the access-policy add-on: has the Application Access Policy been created?"""
    organization = current_organization(request)
    if not organization.has_addon(ACCESS_POLICY.slug):
        return redirect("teams-connect")
    form = PolicyForm(
        form_data(request),
        initial={"acknowledged": session.wizard_answers(request.session).get("acknowledged")},
    )
    if form.is_valid():
        session.save_answers(request.session, method=Method.ACCESS_POLICY, acknowledged="yes")
        return see_other(reverse("teams-connect"))
    context = {
        "form": form,
        "client_id": settings.MICROSOFT_CLIENT_ID,
        "commands": setup_commands(),
        "admin_letter": admin_letter(organization),
        "documentation": DOCUMENTATION,
    }
    return render(request, "teams/policy.html", context)


@wizard_page
def use_service_account(request: HttpRequest) -> HttpResponse:
    """Choose the Service Account method, for an organisation that has both."""
    session.save_answers(request.session, method=Method.SERVICE_ACCOUNT)
    return redirect("teams-connect")


@wizard_page
def reconnect(request: HttpRequest, pk: int) -> HttpResponse:
    """Reconnect a disconnected connection: the wizard with its former answers."""
    connection = connection_or_404(request, pk)
    teams = connection.teams
    session.save_answers(
        request.session,
        method=teams.method,
        match_field=connection.match_field,
        tenant=str(teams.tenant_id),
    )
    sentence = _("To get this connection back, sign in to Microsoft as %(account)s. Another account makes another one.")
    if teams.method == Method.SERVICE_ACCOUNT:
        messages.info(request, sentence % {"account": teams.account_upn})
    return redirect("teams-policy" if chosen_method(request) == Method.ACCESS_POLICY else "teams-connect")


@wizard_page
def connect(request: HttpRequest) -> HttpResponse:
    """First question of the Service Account method, second of the other: which field holds the UPN?"""
    answers = session.wizard_answers(request.session)
    if current_organization(request).has_addon(ACCESS_POLICY.slug) and "method" not in answers:
        return redirect("teams-policy")
    form = MatchFieldForm(form_data(request), initial=answers)
    if form.is_valid():
        session.save_answers(request.session, match_field=form.cleaned_data["match_field"])
        return see_other(reverse("teams-tenant"))
    context = {
        "form": form,
        "example": current_member(request),
        "method": chosen_method(request),
        "has_access_policy_addon": current_organization(request).has_addon(ACCESS_POLICY.slug),
    }
    return render(request, "teams/connect.html", context)


@wizard_page
def tenant(request: HttpRequest) -> HttpResponse:
    """Last question: the tenant ID. Then redirect to Microsoft."""
    answers = session.wizard_answers(request.session)
    if "match_field" not in answers:
        return redirect("teams-connect")
    form = TenantForm(form_data(request), initial=answers)
    if form.is_valid():
        try:
            return see_other(_authorization_address(request, form.cleaned_data["tenant"]))
        except TenantProblem as problem:
            form.add_error("tenant", str(problem))
        except PlatformError as problem:
            form.add_error(None, with_next_step(problem))
    return render_sign_in_form(request, "teams/tenant.html", {"form": form, "method": chosen_method(request)})


def _authorization_address(request: HttpRequest, typed: str) -> str:
    session.save_answers(request.session, tenant=typed)
    resolved = resolve_tenant(typed)
    match_field = session.wizard_answers(request.session)["match_field"]
    return start_authorization(
        request.session,
        resolved,
        WizardAnswers(resolved.id, resolved.domain, match_field, chosen_method(request).value),
    )


def chosen_method(request: HttpRequest) -> Method:
    """Return the method of the wizard. The add-on may have been switched off since it was chosen."""
    chosen = session.wizard_answers(request.session).get("method")
    if chosen == Method.ACCESS_POLICY and current_organization(request).has_addon(ACCESS_POLICY.slug):
        return Method.ACCESS_POLICY
    return Method.SERVICE_ACCOUNT
