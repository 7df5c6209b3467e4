"""Token endpoint: authorization codes, refresh tokens, client credentials.

Microsoft: v2-oauth2-auth-code-flow, v2-oauth2-client-creds-grant-flow, reference-error-codes.
"""

import base64
import hashlib
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from simulator.app_registration import DEFAULT_SCOPE, GRAPH_HOST
from simulator.directory import Person, Tenant
from simulator.entra.authority import Authority, find_authority
from simulator.entra.client_auth import Client, authenticate_client
from simulator.entra.errors import (
    EntraError,
    consent_required,
    error_from_fault,
    missing_parameter,
    unknown_app,
    unknown_tenant,
)
from simulator.entra.scopes import Scopes
from simulator.entra.tokens import app_token, delegated_token_response
from simulator.grants import AuthorizationCode, RefreshToken
from simulator.request_context import claim_entra_fault
from simulator.store import store


@csrf_exempt
@require_POST
def token(request: HttpRequest, tenant: str) -> JsonResponse:
    """Serve POST /{tenant}/oauth2/v2.0/token."""
    try:
        with store.lock:
            response = JsonResponse(_issue_tokens(request, tenant))
            store.mark_changed()
    except EntraError as error:
        correlation_id = request.headers.get("client-request-id")
        response = JsonResponse(error.body(correlation_id), status=error.status)
    response["Cache-Control"] = "no-store, no-cache"
    response["Pragma"] = "no-cache"
    return response


def _issue_tokens(request: HttpRequest, tenant_name: str) -> dict[str, Any]:
    try:
        authority = find_authority(store.directory, tenant_name)
    except EntraError as error:
        raise unknown_tenant(tenant_name, "invalid_request") from error
    fault = claim_entra_fault(request, "refuse_token")
    if fault is not None:
        raise error_from_fault(fault, "invalid_grant", 70000)
    grant_type = request.POST.get("grant_type")
    if not grant_type:
        raise missing_parameter("grant_type")
    if grant_type not in GRANT_HANDLERS:
        raise EntraError(
            "unsupported_grant_type",
            70003,
            f"The app requested an unsupported grant type '{grant_type}'.",
        )
    client = authenticate_client(store, request, authority)
    return GRANT_HANDLERS[grant_type](request, authority, client)


def _invalid_grant(number: int, text: str, suberror: str | None = None) -> EntraError:
    return EntraError("invalid_grant", number, text, suberror=suberror)


def _redeem_code(request: HttpRequest, authority: Authority, client: Client) -> dict[str, Any]:
    text = request.POST.get("code")
    if not text:
        raise missing_parameter("code")
    code = store.grants.codes.get(text)
    if code is None or code.client_id != client.id:
        raise _invalid_grant(70000, "Provided grant is invalid or malformed.")
    if code.used:
        raise _invalid_grant(
            54005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an "
            "existing refresh token.",
        )
    if time.time() > code.expires_at:
        raise _invalid_grant(70008, "The provided authorization code or refresh token has expired due to inactivity.")
    _verify_code(request, authority, code)
    code.used = True
    tenant, person = _active_account(code)
    scopes = Scopes.parse(request.POST.get("scope") or " ".join(code.scopes))
    claim_fault = partial(claim_entra_fault, request)
    return delegated_token_response(
        store, tenant, person, client.id, scopes, claim_fault, nonce=code.nonce, authenticated_by=client.appidacr
    )


def _verify_code(request: HttpRequest, authority: Authority, code: AuthorizationCode) -> None:
    if authority.tenant is not None and authority.tenant.id != code.tenant_id:
        raise _invalid_grant(700005, "Provided Authorization Code is intended to use against other tenant.")
    if request.POST.get("redirect_uri") != code.redirect_uri:
        # Not listed by Microsoft; developers report it with invalid_client.
        raise EntraError(
            "invalid_client",
            500112,
            f"The reply address '{request.POST.get('redirect_uri', '')}' does not match the reply address "
            f"'{code.redirect_uri}' provided when requesting Authorization code.",
            status=401,
        )
    if not code.challenge:
        return
    digest = hashlib.sha256(request.POST.get("code_verifier", "").encode()).digest()
    if base64.urlsafe_b64encode(digest).decode().rstrip("=") != code.challenge:
        raise _invalid_grant(
            501481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        )


def _active_account(holder: AuthorizationCode | RefreshToken) -> tuple[Tenant, Person]:
    tenant = store.directory.tenants[holder.tenant_id]
    person = tenant.by_id(holder.oid)
    if person is None:
        raise _invalid_grant(50034, "The user account does not exist in the directory.")
    if not person.enabled:
        raise _invalid_grant(50057, "The user account is disabled.")
    return tenant, person


def _redeem_refresh_token(request: HttpRequest, authority: Authority, client: Client) -> dict[str, Any]:
    text = request.POST.get("refresh_token")
    if not text:
        raise missing_parameter("refresh_token")
    stored = store.grants.refresh_tokens.get(text)
    if stored is None or stored.client_id != client.id:
        raise _invalid_grant(70000, "Provided grant is invalid or malformed.")
    if authority.tenant is not None and authority.tenant.id != stored.tenant_id:
        raise _invalid_grant(50020, f"User account does not exist in tenant '{authority.tenant.name}'.")
    if stored.revoked or claim_entra_fault(request, "refresh_revoked") is not None:
        raise _invalid_grant(
            50173,
            "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user "
            "might have changed or reset their password.",
            "bad_token",
        )
    if stored.is_idle or claim_entra_fault(request, "refresh_expired") is not None:
        raise _invalid_grant(
            700082,
            "The refresh token has expired due to inactivity. The token was inactive for 90.00:00:00.",
            "token_expired",
        )
    tenant, person = _active_account(stored)
    # Without offline_access in the request, the response has no new refresh token.
    scopes = Scopes.parse(request.POST.get("scope") or " ".join(stored.scopes))
    if not scopes.permissions(store.registration) <= store.grants.granted_scopes(tenant.id, person.id):
        raise consent_required(client.id)
    stored.last_used_at = time.time()
    claim_fault = partial(claim_entra_fault, request)
    return delegated_token_response(
        store, tenant, person, client.id, scopes, claim_fault, authenticated_by=client.appidacr
    )


def _issue_app_token(request: HttpRequest, authority: Authority, client: Client) -> dict[str, Any]:
    tenant = authority.tenant
    if tenant is None:
        raise EntraError(
            "invalid_request",
            50059,
            "No tenant-identifying information found in either the request or implied by any provided credentials.",
        )
    scope = request.POST.get("scope", "")
    if scope != f"{GRAPH_HOST}/{DEFAULT_SCOPE}":
        # Not listed by Microsoft; reported in microsoftgraph/microsoft-graph-docs issue 14323.
        raise EntraError(
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope "
            "value with /.default suffixed to the resource identifier (application ID URI).",
        )
    if tenant.id not in store.grants.installed:
        raise unknown_app(client.id, tenant.name)
    roles = [] if claim_entra_fault(request, "no_roles") is not None else store.grants.granted_roles(tenant.id)
    return {
        "token_type": "Bearer",
        "expires_in": store.behaviour.token_lifetime,
        "ext_expires_in": store.behaviour.token_lifetime,
        "access_token": app_token(store, tenant, client.id, roles, client.appidacr),
    }


GRANT_HANDLERS: dict[str, Callable[[HttpRequest, Authority, Client], dict[str, Any]]] = {
    "authorization_code": _redeem_code,
    "refresh_token": _redeem_refresh_token,
    "client_credentials": _issue_app_token,
}
