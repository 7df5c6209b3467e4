"""Authentication and permissions of Graph requests.

The errors repeat the texts that Graph was reported to send.
"""

import time
from dataclasses import dataclass

import jwt

from simulator.directory import Person, Tenant
from simulator.graph.protocol import GraphError, GraphRequest
from simulator.store import Store

GRAPH_AUDIENCES = frozenset({"https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"})
# Permissions for full user profiles (microsoft-graph-devx-content permissions.json).
FULL_PROFILE = frozenset({"User.Read.All", "Directory.Read.All"})


@dataclass(frozen=True)
class Caller:
    """Holder of a valid access token; `person` is None for an app-only token."""

    tenant: Tenant
    person: Person | None
    client_id: str
    permissions: frozenset[str]

    def has_any(self, *permissions: str) -> bool:
        return not self.permissions.isdisjoint(permissions)

    def require_permission(self, delegated: tuple[str, ...], application: tuple[str, ...]) -> None:
        """Raise 403 unless the caller has one of the permissions for its kind of token."""
        if not self.has_any(*(application if self.person is None else delegated)):
            raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")

    def can_read_full_profile(self, person: Person) -> bool:
        """Return whether the caller can read a full profile.

        User.Read is enough for the caller's own profile.
        """
        own = self.person is not None and self.person.id == person.id and self.has_any("User.Read")
        return own or self.has_any(*FULL_PROFILE)

    def signed_in_person(self) -> Person:
        """Return the signed-in user. Raises 400 for an app-only token."""
        if self.person is None:
            raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        return self.person


def _unauthenticated(message: str) -> GraphError:
    challenge = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        'client_id="00000003-0000-0000-c000-000000000000"'
    )
    return GraphError(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge})


def authenticate(store: Store, request: GraphRequest) -> Caller:
    """Return the holder of the bearer token. Raises GraphError 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthenticated("Access token is empty.")
    try:
        claims = store.key.verify(token.strip())
    except jwt.InvalidSignatureError as error:
        raise _unauthenticated("CompactToken validation failed with reason code: 80049228.") from error
    except jwt.InvalidTokenError as error:
        raise _unauthenticated("CompactToken parsing failed with error code: 80049217") from error
    if claims.get("aud") not in GRAPH_AUDIENCES:
        raise _unauthenticated("Access token validation failure. Invalid audience.")
    if claims["exp"] <= time.time():
        raise _unauthenticated("Lifetime validation failed, the token is expired.")
    tenant = store.directory.tenants.get(claims["tid"])
    if tenant is None:
        raise _unauthenticated("Access token validation failure. Invalid tenant.")
    if claims["idtyp"] == "app":
        return Caller(tenant, None, claims["appid"], frozenset(claims.get("roles", ())))
    person = tenant.by_id(claims["oid"])
    if person is None:
        raise _unauthenticated("The identity of the calling user could not be found.")
    return Caller(tenant, person, claims["appid"], frozenset(claims["scp"].split()))
