"""Admin consent: an administrator accepts for the whole organisation."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from simulator.app_registration import APPLICATION, DEFAULT_SCOPE, DELEGATED, GRAPH_HOST
from simulator.directory import Person, Tenant
from simulator.entra.errors import EntraError, missing_parameter
from simulator.entra.scopes import Scopes
from simulator.entra.sign_in import (
    PAGE,
    AppRequest,
    approval_page,
    chosen_account,
    error_page,
    picker_page,
    read_app_request,
    sign_in,
    sign_in_page,
    wrong_tenant,
)
from simulator.store import world

# The documents spell a refusal in three ways; tests can ask for each.
REFUSALS = {
    "consent_required": (65004, "The resource owner or authorization server denied the request."),
    "permission_denied": (65004, "The admin canceled the request."),
    "access_denied": (65004, "User declined to consent to access the app."),
}


@require_http_methods(["GET", "POST"])
def admin_consent(request: HttpRequest, tenant: str, version: int = 2) -> HttpResponse:
    """GET and POST /{tenant}/v2.0/adminconsent, and the older /{tenant}/adminconsent without scope."""
    with world.lock:
        try:
            app = read_app_request(request, tenant)
            if version == 2 and not app.query.get("scope"):
                raise missing_parameter("scope")
            scopes = Scopes.parse(app.query.get("scope") or f"{GRAPH_HOST}/{DEFAULT_SCOPE}")
        except EntraError as error:
            return error_page(request, error)
        if request.method == "POST" and "decision" not in request.POST:
            return sign_in(request)
        return _with_account(request, app, scopes)


def _with_account(request: HttpRequest, app: AppRequest, scopes: Scopes) -> HttpResponse:
    if request.GET.get(PAGE) == "sign-in":
        return sign_in_page(request, "")
    person = chosen_account(request)
    if person is None:
        return picker_page(request)
    found = world.directory.locate(person.id)
    if found is None or (app.authority.tenant or found[0]) is not found[0]:
        return error_page(request, wrong_tenant(person, app.authority, app.client_id), again=True)
    return _with_administrator(request, app, scopes, found[0], person)


def _with_administrator(
    request: HttpRequest, app: AppRequest, scopes: Scopes, tenant: Tenant, person: Person
) -> HttpResponse:
    if request.POST.get("decision") == "cancel" or world.faults.take("refuse_consent") is not None:
        return _declined(app)
    delegated = sorted(scopes.permissions(world.registration))
    # Application permissions are asked for through .default only.
    roles = sorted(world.registration.roles) if DEFAULT_SCOPE in scopes.names else []
    words = [DELEGATED[name] for name in delegated] + [APPLICATION[name] for name in roles]
    if not person.may_consent_for_all:
        return approval_page(request, person, words)
    if request.POST.get("decision") == "accept":
        world.grants.consent_for_all(tenant.id, delegated, roles)
        world.changed()
        return app.send(admin_consent="True", tenant=tenant.id, scope=" ".join(scopes.asked))
    context = {"person": person, "permissions": words, "for_all": True, "tenant": tenant}
    return render(request, "simulator/consent.html", context)


def _declined(app: AppRequest) -> HttpResponse:
    error = world.behaviour.admin_refusal
    number, text = REFUSALS[error]
    # admin_consent=True stands on refusals as well; the tenant does not.
    parameters = {"admin_consent": "True"}
    if error == "access_denied":
        parameters["error_subcode"] = "cancel"
    return app.refuse(EntraError(error, number, text), **parameters)
