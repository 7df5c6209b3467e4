"""Scopes: what was asked for, what it means, and how the answer spells it."""

from dataclasses import dataclass

from simulator.app_registration import (
    DEFAULT_SCOPE,
    DELEGATED,
    GRAPH_HOST,
    OPENID_SCOPES,
    Registration,
    permission_name,
)
from simulator.entra.errors import unknown_scope


@dataclass(frozen=True)
class Scopes:
    """A parsed `scope` parameter."""

    asked: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Scopes":
        """Raises EntraError 650053 for a permission that Graph does not have."""
        asked = tuple(text.split())
        for scope in asked:
            name = permission_name(scope)
            if name not in DELEGATED and name not in OPENID_SCOPES and name != DEFAULT_SCOPE:
                raise unknown_scope(scope)
        return cls(asked)

    @property
    def names(self) -> set[str]:
        return {permission_name(scope) for scope in self.asked}

    @property
    def openid(self) -> set[str]:
        return self.names & OPENID_SCOPES

    def permissions(self, registration: Registration) -> set[str]:
        """Graph permissions meant; `.default` means all that the app registration lists."""
        names = self.names - OPENID_SCOPES
        if DEFAULT_SCOPE in names:
            names = (names - {DEFAULT_SCOPE}) | set(registration.delegated)
        return names

    def echo(self, granted: set[str]) -> str:
        """The `scope` of the answer: what was granted, spelled the way it was asked.

        Clients find their cached token by this text, so a prefix in the question is a prefix in the answer.
        """
        prefix = f"{GRAPH_HOST}/" if any(scope.startswith(GRAPH_HOST) for scope in self.asked) else ""
        openid = sorted(self.openid - {"offline_access"})
        default = [scope for scope in self.asked if permission_name(scope) == DEFAULT_SCOPE]
        return " ".join([*openid, *(f"{prefix}{name}" for name in sorted(granted)), *default])
