"""Scopes: parse the `scope` parameter and spell it in responses.

`.default` stands for all permissions of the app registration.
"""

from dataclasses import dataclass

from simulator.app_registration import (
    DEFAULT_SCOPE,
    DELEGATED_PERMISSIONS,
    GRAPH_HOST,
    OPENID_SCOPES,
    AppRegistration,
    permission_name,
)
from simulator.entra.errors import unknown_scope


@dataclass(frozen=True)
class Scopes:
    """A parsed `scope` parameter."""

    requested: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Scopes":
        """Parse a `scope` parameter. Raises EntraError 650053 for an unknown permission."""
        requested = tuple(text.split())
        for scope in requested:
            name = permission_name(scope)
            if name not in DELEGATED_PERMISSIONS and name not in OPENID_SCOPES and name != DEFAULT_SCOPE:
                raise unknown_scope(scope)
        return cls(requested)

    @property
    def names(self) -> set[str]:
        return {permission_name(scope) for scope in self.requested}

    @property
    def openid(self) -> set[str]:
        return self.names & OPENID_SCOPES

    def permissions(self, registration: AppRegistration) -> set[str]:
        """Return the requested Graph permissions, with `.default` expanded."""
        names = self.names - OPENID_SCOPES
        if DEFAULT_SCOPE in names:
            names = (names - {DEFAULT_SCOPE}) | set(registration.delegated)
        return names

    def response_scope(self, granted: set[str]) -> str:
        """Return the `scope` of the token response: the granted permissions in the request's spelling.

        MSAL looks up cached tokens by scope text, so a prefixed request needs prefixed scopes.
        """
        prefix = f"{GRAPH_HOST}/" if any(scope.startswith(GRAPH_HOST) for scope in self.requested) else ""
        openid = sorted(self.openid - {"offline_access"})
        default = [scope for scope in self.requested if permission_name(scope) == DEFAULT_SCOPE]
        return " ".join([*openid, *(f"{prefix}{name}" for name in sorted(granted)), *default])
