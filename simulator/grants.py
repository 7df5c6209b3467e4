"""What was consented to, and the codes and refresh tokens handed out."""

import secrets
import time
from dataclasses import asdict, dataclass, field
from typing import Any

CODE_LIFETIME = 600.0
REFRESH_IDLE_LIFETIME = 90 * 24 * 3600.0


@dataclass
class AuthorizationCode:
    """A code waiting to be redeemed, with everything that the token must repeat."""

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
    """A refresh token; older ones stay valid when a newer one is issued."""

    tenant_id: str
    oid: str
    client_id: str
    scopes: list[str]
    last_used_at: float
    revoked: bool = False

    @property
    def is_idle(self) -> bool:
        """Ninety days without use end it."""
        return time.time() - self.last_used_at > REFRESH_IDLE_LIFETIME


@dataclass
class AdminConsent:
    """What an administrator granted to the app for the whole tenant."""

    scopes: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)


@dataclass
class Grants:
    """Consents by tenant (and person), codes and refresh tokens by their own text."""

    personal: dict[str, list[str]] = field(default_factory=dict)
    admin: dict[str, AdminConsent] = field(default_factory=dict)
    installed: list[str] = field(default_factory=list)
    codes: dict[str, AuthorizationCode] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)

    def consented(self, tenant_id: str, oid: str) -> set[str]:
        """Delegated permissions in force for this person: their own consent and the administrator's."""
        admin = self.admin.get(tenant_id, AdminConsent())
        return set(self.personal.get(f"{tenant_id}/{oid}", ())) | set(admin.scopes)

    def roles(self, tenant_id: str) -> list[str]:
        """Application permissions in force in this tenant."""
        return list(self.admin.get(tenant_id, AdminConsent()).roles)

    def consent(self, tenant_id: str, oid: str, scopes: set[str]) -> None:
        """A person accepts; the app gets its service principal in the tenant."""
        key = f"{tenant_id}/{oid}"
        self.personal[key] = sorted(set(self.personal.get(key, ())) | scopes)
        self._install(tenant_id)

    def consent_for_all(self, tenant_id: str, scopes: list[str], roles: list[str]) -> None:
        """An administrator accepts on behalf of the organisation."""
        self.admin[tenant_id] = AdminConsent(sorted(scopes), sorted(roles))
        self._install(tenant_id)

    def revoke(self, tenant_id: str, oid: str | None = None) -> None:
        """Take one person's consent away, or everybody's and the administrator's."""
        if oid is not None:
            self.personal.pop(f"{tenant_id}/{oid}", None)
            return
        self.admin.pop(tenant_id, None)
        for key in [key for key in self.personal if key.startswith(f"{tenant_id}/")]:
            del self.personal[key]

    def uninstall(self, tenant_id: str) -> None:
        """Delete the app from the tenant: its service principal and every consent."""
        self.revoke(tenant_id)
        if tenant_id in self.installed:
            self.installed.remove(tenant_id)

    def _install(self, tenant_id: str) -> None:
        if tenant_id not in self.installed:
            self.installed.append(tenant_id)

    def new_code(self, code: AuthorizationCode) -> str:
        """Store a code and return its text."""
        text = f"1.{secrets.token_urlsafe(48)}"
        self.codes[text] = code
        return text

    def new_refresh_token(self, token: RefreshToken) -> str:
        """Store a refresh token and return its text."""
        text = f"1.{secrets.token_urlsafe(64)}"
        self.refresh_tokens[text] = token
        return text

    def dump(self) -> dict[str, Any]:
        """Everything but codes (ten minutes old at most) as JSON-ready data."""
        return {
            "personal": self.personal,
            "admin": {tenant: asdict(consent) for tenant, consent in self.admin.items()},
            "installed": self.installed,
            "refresh_tokens": {text: asdict(token) for text, token in self.refresh_tokens.items()},
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> "Grants":
        """The opposite of `dump`."""
        return cls(
            personal=data["personal"],
            admin={tenant: AdminConsent(**consent) for tenant, consent in data["admin"].items()},
            installed=data["installed"],
            refresh_tokens={text: RefreshToken(**token) for text, token in data["refresh_tokens"].items()},
        )
