"""Tokens: id tokens, delegated and app-only access tokens for Graph.

Microsoft: id-token-claims-reference, access-token-claims-reference.
"""

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from simulator.app_registration import APP_NAME, GRAPH_HOST
from simulator.directory import Person, Tenant
from simulator.entra.authority import issuer_of
from simulator.entra.scopes import Scopes
from simulator.faults import Fault
from simulator.grants import RefreshToken
from simulator.store import Store

# Returns the fault of that kind for the current request, and counts one use.
ClaimFault = Callable[[str], Fault | None]

# Seconds.
ID_TOKEN_LIFETIME = 3600
# `wids` of people without an administrator role (seen in tokens, not documented).
ORDINARY_USER_ROLE = "b79fbf4d-3ef9-4689-8143-76b194e85509"


def client_info(tenant: Tenant, person: Person) -> str:
    """Return `client_info`: object id and tenant id as base64url JSON."""
    text = json.dumps({"uid": person.id, "utid": tenant.id})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def pairwise_subject(person: Person, client_id: str) -> str:
    """Return the `sub` claim, which differs per app."""
    digest = hashlib.sha256(f"{person.id}{client_id}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def service_principal_id(tenant: Tenant, client_id: str) -> str:
    """Return the object id of the app's service principal in a tenant."""
    return str(uuid.uuid5(uuid.UUID(tenant.id), client_id))


def id_token(
    store: Store, tenant: Tenant, person: Person, client_id: str, nonce: str, openid: set[str], fault: Fault | None
) -> str:
    """Return a v2 id token. The fault, of kind `id_token`, changes its claims or signature."""
    now = int(time.time()) + store.behaviour.clock_offset
    claims: dict[str, Any] = {
        "ver": "2.0",
        "iss": issuer_of(tenant.id),
        "sub": pairwise_subject(person, client_id),
        "aud": client_id,
        "exp": now + ID_TOKEN_LIFETIME,
        "iat": now,
        "nbf": now,
        "tid": tenant.id,
        "uti": uuid.uuid4().hex,
    }
    if nonce:
        claims["nonce"] = nonce
    if "profile" in openid:
        claims |= {"name": person.name, "preferred_username": person.upn, "oid": person.id}
    if "email" in openid or person.guest:
        claims["email"] = person.mail
    claims["wids"] = person.roles or [ORDINARY_USER_ROLE]
    if fault is None:
        return store.key.sign(claims)
    claims |= fault.details.get("claims", {})
    for name in fault.details.get("without", ()):
        claims.pop(name, None)
    return store.key.forge(claims) if fault.details.get("bad_signature") else store.key.sign(claims)


def _access_token_claims(store: Store, tenant: Tenant, client_id: str, authenticated_by: str) -> dict[str, Any]:
    now = int(time.time())
    return {
        "aud": GRAPH_HOST,
        "iss": f"https://sts.windows.net/{tenant.id}/",
        "iat": now,
        "nbf": now,
        "exp": now + store.behaviour.token_lifetime,
        "app_displayname": APP_NAME,
        "appid": client_id,
        "appidacr": authenticated_by,
        "tid": tenant.id,
        "uti": uuid.uuid4().hex,
        "ver": "1.0",
    }


def delegated_token(
    store: Store, tenant: Tenant, person: Person, client_id: str, scopes: set[str], authenticated_by: str
) -> str:
    """Return a delegated access token for Graph, with `scp`."""
    claims = _access_token_claims(store, tenant, client_id, authenticated_by) | {
        "idtyp": "user",
        "oid": person.id,
        "sub": pairwise_subject(person, client_id),
        "name": person.name,
        "upn": person.upn,
        "unique_name": person.upn,
        "scp": " ".join(sorted(scopes | {"openid", "profile", "email"})),
    }
    if person.roles:
        claims["wids"] = person.roles
    return store.key.sign(claims)


def app_token(store: Store, tenant: Tenant, client_id: str, roles: list[str], authenticated_by: str) -> str:
    """Return an app-only access token for Graph. Without consent it has no `roles` claim.

    Microsoft: v2-oauth2-client-creds-grant-flow.
    """
    principal = service_principal_id(tenant, client_id)
    claims = _access_token_claims(store, tenant, client_id, authenticated_by) | {
        "idtyp": "app",
        "oid": principal,
        "sub": principal,
    }
    if roles:
        claims["roles"] = sorted(roles)
    return store.key.sign(claims)


def delegated_token_response(
    store: Store,
    tenant: Tenant,
    person: Person,
    client_id: str,
    scopes: Scopes,
    claim_fault: ClaimFault,
    *,
    nonce: str = "",
    authenticated_by: str = "1",
) -> dict[str, Any]:
    """Return the token response for a person. Its scope is all consented permissions."""
    granted = store.grants.granted_scopes(tenant.id, person.id)
    lifetime = store.behaviour.token_lifetime
    response: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": scopes.response_scope(granted),
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": delegated_token(store, tenant, person, client_id, granted, authenticated_by),
        "client_info": client_info(tenant, person),
    }
    if "openid" in scopes.openid:
        fault = claim_fault("id_token")
        response["id_token"] = id_token(store, tenant, person, client_id, nonce, scopes.openid, fault)
    if "offline_access" in scopes.openid and claim_fault("no_refresh_token") is None:
        stored = RefreshToken(tenant.id, person.id, client_id, list(scopes.requested), time.time())
        response["refresh_token"] = store.grants.add_refresh_token(stored)
    return response
