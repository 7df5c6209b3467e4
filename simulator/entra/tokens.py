"""Making tokens: id tokens, access tokens for Graph with a user or without."""

import base64
import hashlib
import json
import time
import uuid
from typing import Any

from simulator.app_registration import APP_NAME, GRAPH_HOST
from simulator.directory import Person, Tenant
from simulator.entra.authority import issuer_of
from simulator.entra.scopes import Scopes
from simulator.grants import RefreshToken
from simulator.store import World

ID_TOKEN_LIFETIME = 3600
# What tokens of people without any administrator role carry in `wids` (seen in tokens, not documented).
ORDINARY_USER = "b79fbf4d-3ef9-4689-8143-76b194e85509"


def client_info(tenant: Tenant, person: Person) -> str:
    """The `client_info` of authorize and token answers: object id and tenant, base64url."""
    text = json.dumps({"uid": person.id, "utid": tenant.id})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def pairwise(person: Person, client_id: str) -> str:
    """`sub`: another one for every app."""
    digest = hashlib.sha256(f"{person.id}{client_id}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def service_principal_id(tenant: Tenant, client_id: str) -> str:
    """The object id of the app's own account in the tenant."""
    return str(uuid.uuid5(uuid.UUID(tenant.id), client_id))


def id_token(
    world: World, tenant: Tenant, person: Person, client_id: str, nonce: str, openid: set[str]
) -> str:
    """A v2 id token; a fault of kind `id_token` may bend its claims or its signature."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "ver": "2.0",
        "iss": issuer_of(tenant.id),
        "sub": pairwise(person, client_id),
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
    claims["wids"] = person.roles or [ORDINARY_USER]
    fault = world.faults.take("id_token")
    if fault is None:
        return world.key.sign(claims)
    claims |= fault.details.get("claims", {})
    for name in fault.details.get("without", ()):
        claims.pop(name, None)
    return world.key.forge(claims) if fault.details.get("bad_signature") else world.key.sign(claims)


def _access_claims(world: World, tenant: Tenant, client_id: str, authenticated_by: str) -> dict[str, Any]:
    now = int(time.time())
    return {
        "aud": GRAPH_HOST,
        "iss": f"https://sts.windows.net/{tenant.id}/",
        "iat": now,
        "nbf": now,
        "exp": now + world.behaviour.token_lifetime,
        "app_displayname": APP_NAME,
        "appid": client_id,
        "appidacr": authenticated_by,
        "tid": tenant.id,
        "uti": uuid.uuid4().hex,
        "ver": "1.0",
    }


def delegated_token(
    world: World, tenant: Tenant, person: Person, client_id: str, scopes: set[str], authenticated_by: str
) -> str:
    """An access token for Graph with `scp`."""
    claims = _access_claims(world, tenant, client_id, authenticated_by) | {
        "idtyp": "user",
        "oid": person.id,
        "sub": pairwise(person, client_id),
        "name": person.name,
        "upn": person.upn,
        "unique_name": person.upn,
        "scp": " ".join(sorted(scopes | {"openid", "profile", "email"})),
    }
    if person.roles:
        claims["wids"] = person.roles
    return world.key.sign(claims)


def app_token(world: World, tenant: Tenant, client_id: str, roles: list[str], authenticated_by: str) -> str:
    """An access token for Graph without a user; no `roles` at all when nothing is consented."""
    principal = service_principal_id(tenant, client_id)
    claims = _access_claims(world, tenant, client_id, authenticated_by) | {
        "idtyp": "app",
        "oid": principal,
        "sub": principal,
    }
    if roles:
        claims["roles"] = sorted(roles)
    return world.key.sign(claims)


def delegated_answer(
    world: World,
    tenant: Tenant,
    person: Person,
    client_id: str,
    scopes: Scopes,
    *,
    nonce: str = "",
    authenticated_by: str = "1",
) -> dict[str, Any]:
    """The token endpoint's answer for a person: everything consented for Graph, not only what was asked."""
    granted = world.grants.consented(tenant.id, person.id)
    lifetime = world.behaviour.token_lifetime
    answer: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": scopes.echo(granted),
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": delegated_token(world, tenant, person, client_id, granted, authenticated_by),
        "client_info": client_info(tenant, person),
    }
    if "openid" in scopes.openid:
        answer["id_token"] = id_token(world, tenant, person, client_id, nonce, scopes.openid)
    if "offline_access" in scopes.openid and world.faults.take("no_refresh_token") is None:
        stored = RefreshToken(tenant.id, person.id, client_id, list(scopes.asked), time.time())
        answer["refresh_token"] = world.grants.new_refresh_token(stored)
    return answer
