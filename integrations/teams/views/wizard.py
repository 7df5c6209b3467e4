"""The connect wizard: one question per page, then Microsoft's page."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from integrations.models import MatchField
from integrations.platforms.values import PlatformError
from integrations.teams.access_policy.guide import DOCUMENTATION, admin_letter
from integrations.teams.access_policy.powershell import scripts_for_everyone
from integrations.teams.addons import ACCESS_POLICY
from integrations.teams.connect.decorators import form_data, see_other, with_next_step, wizard_page
from integrations.teams.connect.redirects import start_authorization
from integrations.teams.connect.runs import RUN_PARAMETER, answers_of, page_of_run, save_answers, start_run
from integrations.teams.connect.session import WizardAnswers
from integrations.teams.entra.tenants import TenantProblem, resolve_tenant
from integrations.teams.forms import LastQuestionForm, MatchFieldForm, PolicyForm
from integrations.teams.models import Method
from integrations.views.access import connection_or_404
from staff.access import current_member, current_organization


@wizard_page
def policy(request: HttpRequest) -> HttpResponse:
    """First question with the access-policy add-on: has the Application Access Policy been created?"""
    organization, run = current_organization(request), _run_of(request)
    if not organization.has_addon(ACCESS_POLICY.slug):
        return redirect(page_of_run("teams-connect", run))
    answers = answers_of(request.session, run)
    form = PolicyForm(form_data(request), initial={"acknowledged": answers.get("acknowledged")})
    if form.is_valid():
        run = save_answers(request.session, run, method=Method.ACCESS_POLICY, acknowledged="yes")
        return see_other(page_of_run("teams-connect", run))
    context = {
        "form": form,
        "run": run,
        "client_id": settings.MICROSOFT_CLIENT_ID,
        "scripts": scripts_for_everyone(),
        "admin_letter": admin_letter(organization),
        "documentation": DOCUMENTATION,
    }
    return render(request, "teams/policy.html", context)


@wizard_page
def use_service_account(request: HttpRequest) -> HttpResponse:
    """Choose the Service Account method, for an organisation that has both."""
    run = save_answers(request.session, _run_of(request), method=Method.SERVICE_ACCOUNT)
    return redirect(page_of_run("teams-connect", run))


@wizard_page
def reconnect(request: HttpRequest, pk: int) -> HttpResponse:
    """Reconnect a disconnected connection: the wizard with its former answers."""
    connection = connection_or_404(request, pk)
    teams = connection.teams
    answers = {"method": teams.method, "match_field": connection.match_field, "tenant": str(teams.tenant_id)}
    run = start_run(request.session, **answers)
    sentence = _("To get this connection back, sign in to Microsoft as %(account)s. Another account makes another one.")
    if teams.method == Method.SERVICE_ACCOUNT:
        messages.info(request, sentence % {"account": teams.account_upn})
    is_policy = chosen_method(request, answers) == Method.ACCESS_POLICY
    return redirect(page_of_run("teams-policy" if is_policy else "teams-connect", run))


@wizard_page
def connect(request: HttpRequest) -> HttpResponse:
    """First question of the Service Account method, second of the other: which field holds the UPN?"""
    run = _run_of(request)
    answers = answers_of(request.session, run)
    if current_organization(request).has_addon(ACCESS_POLICY.slug) and "method" not in answers:
        return redirect(page_of_run("teams-policy", run))
    form = MatchFieldForm(form_data(request), initial=answers)
    if form.is_valid():
        run = save_answers(request.session, run, match_field=form.cleaned_data["match_field"])
        return see_other(page_of_run("teams-tenant", run))
    context = {
        "form": form,
        "run": run,
        "example": current_member(request),
        "method": chosen_method(request, answers),
        "has_access_policy_addon": current_organization(request).has_addon(ACCESS_POLICY.slug),
    }
    return render(request, "teams/connect.html", context)


@wizard_page
def tenant(request: HttpRequest) -> HttpResponse:
    """Last question: the tenant ID. Then open Microsoft."""
    run = _run_of(request)
    answers = answers_of(request.session, run)
    if "match_field" not in answers:
        return redirect(page_of_run("teams-connect", run))
    method, match_field = chosen_method(request, answers), MatchField(answers["match_field"])
    form = LastQuestionForm(
        form_data(request), initial=answers, answers={"method": method.value, "match_field": match_field.value}
    )
    if form.is_valid():
        typed = form.cleaned_data["tenant"]
        save_answers(request.session, run, tenant=typed)
        try:
            resolved = resolve_tenant(typed)
            to_connect = WizardAnswers(resolved.id, resolved.domain, match_field.value, method.value)
            return see_other(start_authorization(request.session, run, resolved, to_connect))
        except TenantProblem as problem:
            form.add_error("tenant", str(problem))
        except PlatformError as problem:
            form.add_error(None, with_next_step(problem))
    context = {"form": form, "run": run, "method": method, "match_field": match_field}
    return render(request, "teams/tenant.html", context)


def _run_of(request: HttpRequest) -> str:
    """Return the id in the address, "" if the page starts a new run."""
    return request.GET.get(RUN_PARAMETER, "")


def chosen_method(request: HttpRequest, answers: Mapping[str, str]) -> Method:
    """Return the method of a run. The add-on may have been switched off since it was chosen."""
    is_offered = current_organization(request).has_addon(ACCESS_POLICY.slug)
    if answers.get("method") == Method.ACCESS_POLICY and is_offered:
        return Method.ACCESS_POLICY
    return Method.SERVICE_ACCOUNT
