"""The authorize endpoint: sign in, consent, and back to the app with a code."""

import time
import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from simulator.app_registration import ADMIN_ONLY_DELEGATED, DELEGATED, OPENID
from simulator.directory import Person
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
    session_accounts,
    sign_in,
    sign_in_page,
    wrong_tenant,
)
from simulator.entra.tokens import client_info
from simulator.grants import CODE_LIFETIME, AuthorizationCode
from simulator.store import world

PROMPTS = frozenset({"", "login", "none", "consent", "select_account"})
RESPONSE_MODES = frozenset({"query", "fragment", "form_post"})


@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest, tenant: str) -> HttpResponse:
    """GET and POST /{tenant}/oauth2/v2.0/authorize"""
    with world.lock:
        try:
            app = read_app_request(request, tenant)
        except EntraError as error:
            return error_page(request, error)
        try:
            scopes = _check(app)
        except EntraError as error:
            return app.refuse(error)
        if request.method == "POST" and "decision" not in request.POST:
            return sign_in(request)
        return _with_account(request, app, scopes)


def _check(app: AppRequest) -> Scopes:
    """Raises EntraError for mistakes that Microsoft reports to the app."""
    query = app.query
    if query.get("response_mode", "query") not in RESPONSE_MODES:
        raise EntraError("invalid_request", 90023, "The value of response_mode is invalid.")
    for name in ("response_type", "scope"):
        if not query.get(name):
            raise missing_parameter(name)
    if query["response_type"] != "code":
        raise EntraError(
            "unsupported_response_type",
            700054,
            f"response_type '{query['response_type']}' is not enabled for the application.",
        )
    if query.get("prompt", "") not in PROMPTS:
        raise EntraError("invalid_request", 90023, f"Unsupported 'prompt' value '{query['prompt']}'.")
    if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
        raise EntraError("invalid_request", 501491, "Invalid size or method of Code_Challenge parameter.")
    return Scopes.parse(query.get("scope", ""))


def _with_account(request: HttpRequest, app: AppRequest, scopes: Scopes) -> HttpResponse:
    page = request.GET.get(PAGE)
    if page == "pick":
        return picker_page(request)
    if page == "sign-in":
        return sign_in_page(request, "")
    prompt = app.query.get("prompt", "")
    person = chosen_account(request)
    if person is None and prompt in ("", "none", "consent"):
        person = _silent_account(request, app)
    if person is None:
        return _ask_for_account(request, app, prompt)
    if not _belongs(person, app):
        return error_page(request, wrong_tenant(person, app.authority, app.client_id), again=True)
    return _with_consent(request, app, scopes, person)


def _silent_account(request: HttpRequest, app: AppRequest) -> Person | None:
    hint = app.query.get("login_hint", "").lower()
    return next(
        (
            person
            for person in session_accounts(request)
            if _belongs(person, app) and person.enabled and hint in ("", person.upn.lower())
        ),
        None,
    )


def _belongs(person: Person, app: AppRequest) -> bool:
    if app.authority.tenant is None:
        # Nobody here has a personal account.
        return app.authority.name != "consumers"
    return app.authority.tenant.by_id(person.id) is not None


def _ask_for_account(request: HttpRequest, app: AppRequest, prompt: str) -> HttpResponse:
    hint = app.query.get("login_hint", "")
    if prompt == "none":
        text = "Session information is not sufficient for single-sign-on."
        return app.refuse(EntraError("login_required", 50058, text))
    if prompt == "login" or (hint and prompt != "select_account"):
        return sign_in_page(request, hint)
    return picker_page(request)


def _with_consent(request: HttpRequest, app: AppRequest, scopes: Scopes, person: Person) -> HttpResponse:
    if world.faults.take("refuse_consent") is not None:
        return _declined(app)
    if request.method == "POST":
        return _decide(request, app, scopes, person)
    wanted = scopes.permissions(world.registration)
    tenant = world.directory.locate(person.id)
    installed = tenant is not None and tenant[0].id in world.grants.installed
    granted = world.grants.consented(tenant[0].id, person.id) if tenant is not None else set()
    prompt = app.query.get("prompt")
    if installed and wanted <= granted and prompt != "consent":
        return _accepted(app, scopes, person)
    if prompt == "none":
        text = "The user or administrator has not consented to use the application."
        return app.refuse(EntraError("consent_required", 65001, text))
    if _needs_admin(wanted - granted) and not person.may_consent_for_all:
        return approval_page(request, person, sorted(DELEGATED[name] for name in wanted))
    context = {
        "person": person,
        "permissions": [DELEGATED[name] for name in sorted(wanted)]
        + [OPENID[name] for name in sorted(scopes.openid)],
        "for_all": False,
        "may_consent_for_all": person.may_consent_for_all,
    }
    return render(request, "simulator/consent.html", context)


def _needs_admin(missing: set[str]) -> bool:
    return bool(missing) and (
        not world.behaviour.user_consent or not missing.isdisjoint(ADMIN_ONLY_DELEGATED)
    )


def _decide(request: HttpRequest, app: AppRequest, scopes: Scopes, person: Person) -> HttpResponse:
    wanted = scopes.permissions(world.registration)
    found = world.directory.locate(person.id)
    if found is None or request.POST["decision"] != "accept":
        return _declined(app)
    tenant = found[0]
    missing = wanted - world.grants.consented(tenant.id, person.id)
    if _needs_admin(missing) and not person.may_consent_for_all:
        return _declined(app)
    if request.POST.get("for_all") and person.may_consent_for_all:
        before = world.grants.admin.get(tenant.id)
        world.grants.consent_for_all(
            tenant.id,
            sorted(wanted | set(before.scopes if before else ())),
            before.roles if before else [],
        )
    else:
        world.grants.consent(tenant.id, person.id, wanted)
    world.changed()
    return _accepted(app, scopes, person)


def _declined(app: AppRequest) -> HttpResponse:
    text = "User declined to consent to access the app."
    return app.refuse(EntraError("access_denied", 65004, text), error_subcode="cancel")


def _accepted(app: AppRequest, scopes: Scopes, person: Person) -> HttpResponse:
    found = world.directory.locate(person.id)
    if found is None:
        return _declined(app)
    tenant = found[0]
    code = world.grants.new_code(
        AuthorizationCode(
            tenant_id=tenant.id,
            oid=person.id,
            client_id=app.client_id,
            redirect_uri=app.redirect_uri,
            scopes=list(scopes.asked),
            nonce=app.query.get("nonce", ""),
            challenge=app.query.get("code_challenge", ""),
            expires_at=time.time() + CODE_LIFETIME,
        )
    )
    parameters = {"code": code, "session_state": str(uuid.uuid4())}
    if app.query.get("client_info") == "1":
        parameters["client_info"] = client_info(tenant, person)
    return app.send(**parameters)


@require_http_methods(["GET"])
def logout(request: HttpRequest, tenant: str) -> HttpResponse:
    """GET /{tenant}/oauth2/v2.0/logout: forget who signed in with this browser."""
    request.session.flush()
    return render(request, "simulator/signed_out.html")
