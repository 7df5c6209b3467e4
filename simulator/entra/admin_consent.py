"""Admin consent endpoint: an administrator consents for the whole organisation.

Microsoft: v2-admin-consent. The v1 path works too, without `scope`.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from simulator.app_registration import (
    APPLICATION_PERMISSIONS,
    DEFAULT_SCOPE,
    DELEGATED_PERMISSIONS,
    GRAPH_HOST,
)
from simulator.directory import Person, Tenant
from simulator.entra.errors import EntraError, missing_parameter
from simulator.entra.federation import redirect_to_federation
from simulator.entra.scopes import Scopes
from simulator.entra.sign_in import (
    PAGE_PARAMETER,
    AppRequest,
    admin_approval_page,
    error_page,
    handle_sign_in,
    picked_account,
    picker_page,
    read_app_request,
    redirect_fault,
    sign_in_page,
    wrong_tenant_error,
)
from simulator.request_context import claim_entra_fault
from simulator.store import store

# Microsoft documents consent_required (v2-admin-consent) and permission_denied
# (v2-oauth2-client-creds-grant-flow) for a declined consent; access_denied is sent as well.
# `Behaviour.admin_refusal` selects one.
DECLINED_CONSENT_ERRORS = {
    "consent_required": (65004, "The resource owner or authorization server denied the request."),
    "permission_denied": (65004, "The admin canceled the request."),
    "access_denied": (65004, "User declined to consent to access the app."),
}


@require_http_methods(["GET", "POST"])
def admin_consent(request: HttpRequest, tenant: str, version: int = 2) -> HttpResponse:
    """Serve /{tenant}/v2.0/adminconsent, and v1 /{tenant}/adminconsent without scope."""
    with store.lock:
        try:
            app = read_app_request(request, tenant)
            if version == 2 and not app.query.get("scope"):
                raise missing_parameter("scope")
            scopes = Scopes.parse(app.query.get("scope") or f"{GRAPH_HOST}/{DEFAULT_SCOPE}")
        except EntraError as error:
            return error_page(request, error)
        if (elsewhere := redirect_to_federation(request)) is not None:
            return elsewhere
        if request.method == "POST" and "decision" not in request.POST:
            return handle_sign_in(request)
        return _account_step(request, app, scopes)


def _account_step(request: HttpRequest, app: AppRequest, scopes: Scopes) -> HttpResponse:
    if request.GET.get(PAGE_PARAMETER) == "sign-in":
        return sign_in_page(request, "")
    person = picked_account(request)
    if person is None:
        return picker_page(request)
    found = store.directory.find_account(person.id)
    if found is None or (app.authority.tenant or found[0]) is not found[0]:
        return error_page(request, wrong_tenant_error(person, app.authority, app.client_id), offer_picker=True)
    return _decision_step(request, app, scopes, found[0], person)


def _decision_step(
    request: HttpRequest, app: AppRequest, scopes: Scopes, tenant: Tenant, person: Person
) -> HttpResponse:
    fault = claim_entra_fault(request, "refuse_consent")
    if fault is not None:
        return redirect_fault(app, fault, admin_consent="True") or _decline_response(app)
    if request.POST.get("decision") == "cancel":
        return _decline_response(app)
    delegated = sorted(scopes.permissions(store.registration))
    # Application permissions can only be requested through .default (Microsoft: v2-admin-consent).
    roles = sorted(store.registration.roles) if DEFAULT_SCOPE in scopes.names else []
    labels = [DELEGATED_PERMISSIONS[name] for name in delegated]
    labels += [APPLICATION_PERMISSIONS[name] for name in roles]
    if not person.can_grant_admin_consent:
        return admin_approval_page(request, person, labels)
    if request.POST.get("decision") == "accept":
        store.grants.grant_admin_consent(tenant.id, delegated, roles)
        store.mark_changed()
        return app.redirect(admin_consent="True", tenant=tenant.id, scope=" ".join(scopes.requested))
    context = {"person": person, "permissions": labels, "for_all": True, "tenant": tenant}
    return render(request, "simulator/consent.html", context)


def _decline_response(app: AppRequest) -> HttpResponse:
    error = store.behaviour.admin_refusal
    number, text = DECLINED_CONSENT_ERRORS[error]
    # Errors carry admin_consent=True too, but no tenant (Microsoft: v2-admin-consent).
    parameters = {"admin_consent": "True"}
    if error == "access_denied":
        parameters["error_subcode"] = "cancel"
    return app.redirect_error(EntraError(error, number, text), **parameters)
