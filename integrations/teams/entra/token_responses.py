"""Read responses of the token endpoint and the discovery document.

Their shapes are those of learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow and v2-protocols-oidc.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.http import graph_url
from integrations.teams.messages import TeamsMessage

# None of these needs admin consent. MSAL adds openid, profile and offline_access.
DELEGATED_PERMISSIONS: Final = ("User.Read", "User.ReadBasic.All", "OnlineMeetings.ReadWrite")
# Application permissions of the access policy method. They are requested as /.default: everything that the app
# registration lists (learn.microsoft.com/entra/identity-platform/v2-admin-consent).
APP_ROLES: Final = ("OnlineMeetings.ReadWrite.All", "User.Read.All")
# Used if a token response has no `expires_in`.
_DEFAULT_LIFETIME_SECONDS: Final = 300
_OPENID_SCOPES: Final = frozenset({"openid", "profile", "email", "offline_access"})
_TOKENS: Final = ("access_token", "refresh_token", "id_token", "client_info")
_TEXTS: Final = ("scope", "token_type", "error", "error_description", "authorization_endpoint")
_ADDRESSES: Final = ("issuer", "token_endpoint")
_LIFETIMES: Final = ("expires_in", "ext_expires_in", "refresh_in")
# Microsoft's permissions, as scopes or roles (learn.microsoft.com/graph/permissions-reference).
_PERMISSION: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tokens:
    """Delegated tokens. `expires_at` is in Unix seconds; `granted` holds names such as `User.Read`."""

    access_token: str
    expires_at: float
    refresh_token: str
    granted: tuple[str, ...]

    def as_stored(self) -> dict[str, Any]:
        """Return the value of `TeamsConnection.tokens`."""
        return {
            "access_token": self.access_token,
            "expires_at": self.expires_at,
            "refresh_token": self.refresh_token,
        }


@dataclass(frozen=True)
class AppToken:
    """App-only token for one tenant. `expires_at` is in Unix seconds.

    Without any consent, Microsoft issues a token without roles
    (learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
    """

    access_token: str
    expires_at: float
    roles: tuple[str, ...]

    @property
    def missing_roles(self) -> list[str]:
        return [role for role in APP_ROLES if role not in self.roles]


def default_scope() -> str:
    """Return the scope for everything that the app registration lists, for admin consent and app tokens."""
    return f"{graph_url()}/.default"


def scopes() -> list[str]:
    """Return the delegated scopes. Authorize, code exchange and refresh must use the same list."""
    return [f"{graph_url()}/{name}" for name in DELEGATED_PERMISSIONS]


def is_usable(document: object) -> bool:
    """Return whether MSAL can read the document: an object whose fields have the documented types."""
    if not isinstance(document, dict):
        return False
    checks = (
        *((name, _is_token) for name in _TOKENS),
        *((name, _is_text) for name in _TEXTS),
        *((name, _is_address) for name in _ADDRESSES),
        *((name, _is_lifetime) for name in _LIFETIMES),
    )
    return all(is_valid(document[name]) for name, is_valid in checks if name in document)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_token(value: object) -> bool:
    # Other characters can't be sent in a header.
    return isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value


def _is_address(value: object) -> bool:
    return isinstance(value, str) and value.startswith("https://") and value.isascii() and value.isprintable()


def _is_lifetime(value: object) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"[0-9]{1,9}", value) is not None
    return isinstance(value, int) and 0 <= value < 10**9


def read_tokens(result: Mapping[str, Any]) -> Tokens:
    """Return the tokens of a response. Raises PlatformError (CONNECTION) without a refresh token."""
    if not result.get("refresh_token"):
        raise PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.NO_REFRESH_TOKEN))
    # A missing `scope` means the requested scopes (RFC 6749, section 5.1).
    granted = str(result.get("scope") or " ".join(scopes())).split()
    names = (scope.removeprefix(f"{graph_url()}/") for scope in granted)
    return Tokens(
        str(result["access_token"]),
        _expires_at(result),
        str(result["refresh_token"]),
        tuple(name for name in names if name not in _OPENID_SCOPES and _PERMISSION.fullmatch(name)),
    )


def read_app_token(result: Mapping[str, Any], tenant_id: str) -> AppToken:
    """Return the app-only token of a response, with its roles."""
    token = str(result["access_token"])
    return AppToken(token, _expires_at(result), _read_roles(token, tenant_id))


def _expires_at(result: Mapping[str, Any]) -> float:
    return time.time() + float(result.get("expires_in", _DEFAULT_LIFETIME_SECONDS))


def _read_roles(token: str, tenant_id: str) -> tuple[str, ...]:
    """Return the application permissions in a token that the token endpoint has just issued.

    The signature isn't verified: only Graph decides what the token allows. The roles tell an admin early which
    permission is missing (learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
    """
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, RecursionError):
        logger.warning("An app token cannot be read, so its roles are not known.")
        return ()
    roles = claims.get("roles")
    if str(claims.get("tid", "")).lower() != tenant_id.lower() or not isinstance(roles, list):
        return ()
    return tuple(role for role in roles if isinstance(role, str) and _PERMISSION.fullmatch(role))
