"""The token endpoint."""

import base64
import hashlib
import time
from collections.abc import Callable
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
    missing_parameter,
    unknown_app,
    unknown_tenant,
)
from simulator.entra.scopes import Scopes
from simulator.entra.tokens import app_token, delegated_answer
from simulator.grants import AuthorizationCode, RefreshToken
from simulator.store import world


@csrf_exempt
@require_POST
def token(request: HttpRequest, tenant: str) -> JsonResponse:
    """POST /{tenant}/oauth2/v2.0/token"""
    try:
        with world.lock:
            response = JsonResponse(_grant(request, tenant))
            world.changed()
    except EntraError as error:
        correlation_id = request.headers.get("client-request-id")
        response = JsonResponse(error.body(correlation_id), status=error.status)
    response["Cache-Control"] = "no-store, no-cache"
    response["Pragma"] = "no-cache"
    return response


def _grant(request: HttpRequest, tenant_name: str) -> dict[str, Any]:
    try:
        authority = find_authority(world.directory, tenant_name)
    except EntraError as error:
        raise unknown_tenant(tenant_name, "invalid_request") from error
    grant_type = request.POST.get("grant_type")
    if not grant_type:
        raise missing_parameter("grant_type")
    if grant_type not in GRANTS:
        raise EntraError(
            "unsupported_grant_type",
            70003,
            f"The app requested an unsupported grant type '{grant_type}'.",
        )
    client = authenticate_client(world, request, authority)
    return GRANTS[grant_type](request, authority, client)


def _bad_grant(number: int, text: str, suberror: str | None = None) -> EntraError:
    return EntraError("invalid_grant", number, text, suberror=suberror)


def _redeem_code(request: HttpRequest, authority: Authority, client: Client) -> dict[str, Any]:
    text = request.POST.get("code")
    if not text:
        raise missing_parameter("code")
    code = world.grants.codes.get(text)
    if code is None or code.client_id != client.id:
        raise _bad_grant(70000, "Provided grant is invalid or malformed.")
    if code.used:
        raise _bad_grant(
            54005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an "
            "existing refresh token.",
        )
    if time.time() > code.expires_at:
        raise _bad_grant(
            70008, "The provided authorization code or refresh token has expired due to inactivity."
        )
    _check_code(request, authority, code)
    code.used = True
    tenant, person = _living(code)
    scopes = Scopes.parse(request.POST.get("scope") or " ".join(code.scopes))
    return delegated_answer(
        world, tenant, person, client.id, scopes, nonce=code.nonce, authenticated_by=client.appidacr
    )


def _check_code(request: HttpRequest, authority: Authority, code: AuthorizationCode) -> None:
    if authority.tenant is not None and authority.tenant.id != code.tenant_id:
        raise _bad_grant(700005, "Provided Authorization Code is intended to use against other tenant.")
    if request.POST.get("redirect_uri") != code.redirect_uri:
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
        raise _bad_grant(
            501481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        )


def _living(holder: AuthorizationCode | RefreshToken) -> tuple[Tenant, Person]:
    tenant = world.directory.tenants[holder.tenant_id]
    person = tenant.by_id(holder.oid)
    if person is None:
        raise _bad_grant(50034, "The user account does not exist in the directory.")
    if not person.enabled:
        raise _bad_grant(50057, "The user account is disabled.")
    return tenant, person


def _refresh(request: HttpRequest, authority: Authority, client: Client) -> dict[str, Any]:
    text = request.POST.get("refresh_token")
    if not text:
        raise missing_parameter("refresh_token")
    stored = world.grants.refresh_tokens.get(text)
    if stored is None or stored.client_id != client.id:
        raise _bad_grant(70000, "Provided grant is invalid or malformed.")
    if authority.tenant is not None and authority.tenant.id != stored.tenant_id:
        raise _bad_grant(50020, f"User account does not exist in tenant '{authority.tenant.name}'.")
    if stored.revoked or world.faults.take("refresh_revoked") is not None:
        raise _bad_grant(
            50173,
            "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user "
            "might have changed or reset their password.",
            "bad_token",
        )
    if stored.is_idle or world.faults.take("refresh_expired") is not None:
        raise _bad_grant(
            700082,
            "The refresh token has expired due to inactivity. The token was inactive for 90.00:00:00.",
            "token_expired",
        )
    tenant, person = _living(stored)
    # Only what the question repeats comes back: without offline_access no new refresh token.
    scopes = Scopes.parse(request.POST.get("scope") or " ".join(stored.scopes))
    if not scopes.permissions(world.registration) <= world.grants.consented(tenant.id, person.id):
        raise consent_required(client.id)
    stored.last_used_at = time.time()
    return delegated_answer(world, tenant, person, client.id, scopes, authenticated_by=client.appidacr)


def _client_credentials(request: HttpRequest, authority: Authority, client: Client) -> dict[str, Any]:
    tenant = authority.tenant
    if tenant is None:
        raise EntraError(
            "invalid_request",
            50059,
            "No tenant-identifying information found in either the request or implied by any provided "
            "credentials.",
        )
    scope = request.POST.get("scope", "")
    if scope != f"{GRAPH_HOST}/{DEFAULT_SCOPE}":
        raise EntraError(
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope "
            "value with /.default suffixed to the resource identifier (application ID URI).",
        )
    if tenant.id not in world.grants.installed:
        raise unknown_app(client.id, tenant.name)
    roles = [] if world.faults.take("no_roles") is not None else world.grants.roles(tenant.id)
    return {
        "token_type": "Bearer",
        "expires_in": world.behaviour.token_lifetime,
        "ext_expires_in": world.behaviour.token_lifetime,
        "access_token": app_token(world, tenant, client.id, roles, client.appidacr),
    }


GRANTS: dict[str, Callable[[HttpRequest, Authority, Client], dict[str, Any]]] = {
    "authorization_code": _redeem_code,
    "refresh_token": _refresh,
    "client_credentials": _client_credentials,
}
