"""Authorize and logout endpoints: sign in, consent, redirect to the app with a code.

Microsoft: v2-oauth2-auth-code-flow.
"""

import time
import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from simulator.app_registration import ADMIN_ONLY_DELEGATED, DELEGATED_PERMISSIONS, OPENID_LABELS
from simulator.directory import Person
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
    session_accounts,
    sign_in_page,
    wrong_tenant_error,
)
from simulator.entra.tokens import client_info
from simulator.grants import CODE_LIFETIME, AuthorizationCode
from simulator.request_context import claim_entra_fault
from simulator.store import store

PROMPTS = frozenset({"", "login", "none", "consent", "select_account"})
RESPONSE_MODES = frozenset({"query", "fragment", "form_post"})


@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest, tenant: str) -> HttpResponse:
    """Serve /{tenant}/oauth2/v2.0/authorize: redirect with a code, or show the next page."""
    with store.lock:
        try:
            app = read_app_request(request, tenant)
        except EntraError as error:
            return error_page(request, error)
        try:
            scopes = _read_scopes(app)
        except EntraError as error:
            return app.redirect_error(error)
        if (elsewhere := redirect_to_federation(request)) is not None:
            return elsewhere
        if request.method == "POST" and "decision" not in request.POST:
            return handle_sign_in(request)
        return _account_step(request, app, scopes)


def _read_scopes(app: AppRequest) -> Scopes:
    """Return the requested scopes. Raises EntraError for errors that Microsoft redirects to the app."""
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


def _account_step(request: HttpRequest, app: AppRequest, scopes: Scopes) -> HttpResponse:
    page = request.GET.get(PAGE_PARAMETER)
    if page == "pick":
        return picker_page(request)
    if page == "sign-in":
        return sign_in_page(request, "")
    prompt = app.query.get("prompt", "")
    person = picked_account(request)
    if person is None and prompt in ("", "none", "consent"):
        person = _silent_account(request, app)
    if person is None:
        return _request_account(request, app, prompt)
    if not _can_use(person, app):
        return error_page(request, wrong_tenant_error(person, app.authority, app.client_id), offer_picker=True)
    return _consent_step(request, app, scopes, person)


def _silent_account(request: HttpRequest, app: AppRequest) -> Person | None:
    hint = app.query.get("login_hint", "").lower()
    return next(
        (
            person
            for person in session_accounts(request)
            if _can_use(person, app) and person.enabled and hint in ("", person.upn.lower())
        ),
        None,
    )


def _can_use(person: Person, app: AppRequest) -> bool:
    if app.authority.tenant is None:
        # The simulator has no personal accounts.
        return app.authority.name != "consumers"
    return app.authority.tenant.by_id(person.id) is not None


def _request_account(request: HttpRequest, app: AppRequest, prompt: str) -> HttpResponse:
    hint = app.query.get("login_hint", "")
    if prompt == "none":
        text = "Session information is not sufficient for single-sign-on."
        return app.redirect_error(EntraError("login_required", 50058, text))
    if prompt == "login" or (hint and prompt != "select_account"):
        return sign_in_page(request, hint)
    return picker_page(request)


def _consent_step(request: HttpRequest, app: AppRequest, scopes: Scopes, person: Person) -> HttpResponse:
    fault = claim_entra_fault(request, "refuse_consent")
    if fault is not None:
        return redirect_fault(app, fault) or _decline_response(app)
    if request.method == "POST":
        return _apply_decision(request, app, scopes, person)
    requested = scopes.permissions(store.registration)
    account = store.directory.find_account(person.id)
    installed = account is not None and account[0].id in store.grants.installed
    granted = store.grants.granted_scopes(account[0].id, person.id) if account is not None else set()
    prompt = app.query.get("prompt")
    if installed and requested <= granted and prompt != "consent":
        return _code_response(app, scopes, person)
    if prompt == "none":
        text = "The user or administrator has not consented to use the application."
        return app.redirect_error(EntraError("consent_required", 65001, text))
    if _needs_admin_approval(requested - granted) and not person.can_grant_admin_consent:
        return admin_approval_page(request, person, sorted(DELEGATED_PERMISSIONS[name] for name in requested))
    context = {
        "person": person,
        "permissions": [DELEGATED_PERMISSIONS[name] for name in sorted(requested)]
        + [OPENID_LABELS[name] for name in sorted(scopes.openid)],
        "for_all": False,
        "can_grant_admin_consent": person.can_grant_admin_consent,
    }
    return render(request, "simulator/consent.html", context)


def _needs_admin_approval(missing: set[str]) -> bool:
    return bool(missing) and (not store.behaviour.user_consent or not missing.isdisjoint(ADMIN_ONLY_DELEGATED))


def _apply_decision(request: HttpRequest, app: AppRequest, scopes: Scopes, person: Person) -> HttpResponse:
    requested = scopes.permissions(store.registration)
    found = store.directory.find_account(person.id)
    if found is None or request.POST["decision"] != "accept":
        return _decline_response(app)
    tenant = found[0]
    missing = requested - store.grants.granted_scopes(tenant.id, person.id)
    if _needs_admin_approval(missing) and not person.can_grant_admin_consent:
        return _decline_response(app)
    if request.POST.get("for_all") and person.can_grant_admin_consent:
        previous = store.grants.admin.get(tenant.id)
        store.grants.grant_admin_consent(
            tenant.id,
            sorted(requested | set(previous.scopes if previous else ())),
            previous.roles if previous else [],
        )
    else:
        store.grants.grant_user_consent(tenant.id, person.id, requested)
    store.mark_changed()
    return _code_response(app, scopes, person)


def _decline_response(app: AppRequest) -> HttpResponse:
    text = "User declined to consent to access the app."
    return app.redirect_error(EntraError("access_denied", 65004, text), error_subcode="cancel")


def _code_response(app: AppRequest, scopes: Scopes, person: Person) -> HttpResponse:
    found = store.directory.find_account(person.id)
    if found is None:
        return _decline_response(app)
    tenant = found[0]
    code = store.grants.add_code(
        AuthorizationCode(
            tenant_id=tenant.id,
            oid=person.id,
            client_id=app.client_id,
            redirect_uri=app.redirect_uri,
            scopes=list(scopes.requested),
            nonce=app.query.get("nonce", ""),
            challenge=app.query.get("code_challenge", ""),
            expires_at=time.time() + CODE_LIFETIME,
        )
    )
    parameters = {"code": code, "session_state": str(uuid.uuid4())}
    if app.query.get("client_info") == "1":
        parameters["client_info"] = client_info(tenant, person)
    return app.redirect(**parameters)


@require_http_methods(["GET"])
def logout(request: HttpRequest, tenant: str) -> HttpResponse:
    """Serve GET /{tenant}/oauth2/v2.0/logout: sign out all accounts of the browser."""
    request.session.flush()
    return render(request, "simulator/signed_out.html")
