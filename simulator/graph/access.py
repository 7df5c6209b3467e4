"""Who is calling Graph, and what they may do."""

import time
from dataclasses import dataclass

import jwt

from simulator.directory import Person, Tenant
from simulator.graph.protocol import GraphCall, GraphError
from simulator.store import World

GRAPH_AUDIENCES = frozenset({"https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"})
FULL_PROFILE = frozenset({"User.Read.All", "Directory.Read.All"})


@dataclass(frozen=True)
class Caller:
    """The holder of a valid access token; `person` is None for an app without a user."""

    tenant: Tenant
    person: Person | None
    client_id: str
    permissions: frozenset[str]

    def has_any(self, *permissions: str) -> bool:
        return not self.permissions.isdisjoint(permissions)

    def require(self, delegated: tuple[str, ...], application: tuple[str, ...]) -> None:
        """Raises 403 unless one of the permissions for this kind of caller is there."""
        if not self.has_any(*(application if self.person is None else delegated)):
            raise GraphError(
                403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
            )

    def sees_everything_of(self, person: Person) -> bool:
        """Full profiles need User.Read.All; one's own comes with User.Read."""
        own = self.person is not None and self.person.id == person.id and self.has_any("User.Read")
        return own or self.has_any(*FULL_PROFILE)

    def me(self) -> Person:
        """The signed-in user. Raises 400 for an app-only token."""
        if self.person is None:
            raise GraphError(
                400, "BadRequest", "/me request is only valid with delegated authentication flow."
            )
        return self.person


def _unauthenticated(message: str) -> GraphError:
    challenge = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        'client_id="00000003-0000-0000-c000-000000000000"'
    )
    return GraphError(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge})


def authenticate(world: World, call: GraphCall) -> Caller:
    """The caller behind the bearer token. Raises 401 in Graph's words."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthenticated("Access token is empty.")
    try:
        claims = world.key.read(token.strip())
    except jwt.InvalidSignatureError as error:
        raise _unauthenticated("CompactToken validation failed with reason code: 80049228.") from error
    except jwt.InvalidTokenError as error:
        raise _unauthenticated("CompactToken parsing failed with error code: 80049217") from error
    if claims.get("aud") not in GRAPH_AUDIENCES:
        raise _unauthenticated("Access token validation failure. Invalid audience.")
    if claims["exp"] <= time.time():
        raise _unauthenticated("Lifetime validation failed, the token is expired.")
    tenant = world.directory.tenants.get(claims["tid"])
    if tenant is None:
        raise _unauthenticated("Access token validation failure. Invalid tenant.")
    if claims["idtyp"] == "app":
        return Caller(tenant, None, claims["appid"], frozenset(claims.get("roles", ())))
    person = tenant.by_id(claims["oid"])
    if person is None:
        raise _unauthenticated("The identity of the calling user could not be found.")
    return Caller(tenant, person, claims["appid"], frozenset(claims["scp"].split()))
