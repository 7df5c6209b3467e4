"""OAuth grants: user and admin consents, authorization codes, refresh tokens.

Codes live 10 minutes, refresh tokens 90 days after their last use.
"""

import secrets
import time
from dataclasses import asdict, dataclass, field
from typing import Any

# Seconds. Microsoft: v2-oauth2-auth-code-flow (codes), refresh-tokens (90 days, rolling).
CODE_LIFETIME = 600.0
REFRESH_IDLE_LIFETIME = 90 * 24 * 3600.0


@dataclass
class AuthorizationCode:
    """An authorization code with the request data that its redemption must match."""

    tenant_id: str
    oid: str
    client_id: str
    redirect_uri: str
    scopes: list[str]
    nonce: str
    challenge: str
    expires_at: float
    used: bool = False


@dataclass
class RefreshToken:
    """A refresh token. Issuing a newer one leaves older ones valid (Microsoft: refresh-tokens)."""

    tenant_id: str
    oid: str
    client_id: str
    scopes: list[str]
    last_used_at: float
    revoked: bool = False

    @property
    def is_idle(self) -> bool:
        """Return whether 90 days without use have ended the token."""
        return time.time() - self.last_used_at > REFRESH_IDLE_LIFETIME


@dataclass
class AdminConsent:
    """Permissions that an administrator granted to the app for the whole tenant."""

    scopes: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)


@dataclass
class Grants:
    """Consents by tenant id (`personal`: by "tenant/person"); codes and refresh tokens by their text."""

    personal: dict[str, list[str]] = field(default_factory=dict)
    admin: dict[str, AdminConsent] = field(default_factory=dict)
    installed: list[str] = field(default_factory=list)
    codes: dict[str, AuthorizationCode] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)

    def granted_scopes(self, tenant_id: str, oid: str) -> set[str]:
        """Return delegated permissions of a person: user consent plus admin consent."""
        admin = self.admin.get(tenant_id, AdminConsent())
        return set(self.personal.get(f"{tenant_id}/{oid}", ())) | set(admin.scopes)

    def granted_roles(self, tenant_id: str) -> list[str]:
        """Return the application permissions granted in a tenant."""
        return list(self.admin.get(tenant_id, AdminConsent()).roles)

    def grant_user_consent(self, tenant_id: str, oid: str, scopes: set[str]) -> None:
        """Record a person's consent, and add the app's service principal to the tenant."""
        key = f"{tenant_id}/{oid}"
        self.personal[key] = sorted(set(self.personal.get(key, ())) | scopes)
        self._add_service_principal(tenant_id)

    def grant_admin_consent(self, tenant_id: str, scopes: list[str], roles: list[str]) -> None:
        """Record an administrator's consent on behalf of the organisation."""
        self.admin[tenant_id] = AdminConsent(sorted(scopes), sorted(roles))
        self._add_service_principal(tenant_id)

    def revoke(self, tenant_id: str, oid: str | None = None) -> None:
        """Revoke one person's consent, or all consents in the tenant."""
        if oid is not None:
            self.personal.pop(f"{tenant_id}/{oid}", None)
            return
        self.admin.pop(tenant_id, None)
        for key in [key for key in self.personal if key.startswith(f"{tenant_id}/")]:
            del self.personal[key]

    def uninstall(self, tenant_id: str) -> None:
        """Remove the app's service principal and all consents from a tenant."""
        self.revoke(tenant_id)
        if tenant_id in self.installed:
            self.installed.remove(tenant_id)

    def _add_service_principal(self, tenant_id: str) -> None:
        if tenant_id not in self.installed:
            self.installed.append(tenant_id)

    def add_code(self, code: AuthorizationCode) -> str:
        """Store a code and return its text."""
        text = f"1.{secrets.token_urlsafe(48)}"
        self.codes[text] = code
        return text

    def add_refresh_token(self, token: RefreshToken) -> str:
        """Store a refresh token and return its text."""
        text = f"1.{secrets.token_urlsafe(64)}"
        self.refresh_tokens[text] = token
        return text

    def dump(self) -> dict[str, Any]:
        """Return consents and refresh tokens as JSON-ready data. Codes are too short-lived to keep."""
        return {
            "personal": self.personal,
            "admin": {tenant: asdict(consent) for tenant, consent in self.admin.items()},
            "installed": self.installed,
            "refresh_tokens": {text: asdict(token) for text, token in self.refresh_tokens.items()},
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> "Grants":
        """Create grants from data of `dump`."""
        return cls(
            personal=data["personal"],
            admin={tenant: AdminConsent(**consent) for tenant, consent in data["admin"].items()},
            installed=data["installed"],
            refresh_tokens={text: RefreshToken(**token) for text, token in data["refresh_tokens"].items()},
        )
