"""OAuth client for Entra: authorization, tokens, refresh. The only module that imports MSAL."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from typing import Any, Final

import jwt
import msal
import requests
from django.conf import settings
from msal.exceptions import MsalServiceError

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra.certificate import read_certificate
from integrations.teams.entra.errors import (
    code_error,
    operator_error,
    read_refusal,
    refresh_error,
    unreachable,
)
from integrations.teams.http import entra_url, graph_url, new_session
from integrations.teams.messages import TeamsMessage
from integrations.teams.operator_mail import report_refused_credentials

# None of these needs admin consent. MSAL adds openid, profile and offline_access.
DELEGATED_PERMISSIONS: Final = ("User.Read", "User.ReadBasic.All", "OnlineMeetings.ReadWrite")
# Application permissions of the access policy method. They are requested as /.default: everything that the app
# registration lists (learn.microsoft.com/entra/identity-platform/v2-admin-consent).
APP_ROLES: Final = ("OnlineMeetings.ReadWrite.All", "User.Read.All")
# Used if a token response has no `expires_in`.
_DEFAULT_LIFETIME_SECONDS: Final = 300
logger = logging.getLogger(__name__)
# MSAL recommends form_post, but a cross-site POST doesn't carry the session cookie (SameSite=Lax) with the flow.
warnings.filterwarnings("ignore", message="response_mode='form_post' is recommended", category=UserWarning)


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


def is_configured() -> bool:
    """Return whether the operator has configured an app registration."""
    return bool(
        settings.MICROSOFT_CLIENT_ID and (settings.MICROSOFT_CLIENT_SECRET or settings.MICROSOFT_CLIENT_CERTIFICATE)
    )


def start_sign_in(tenant_id: str, redirect_uri: str, *, login_hint: str = "") -> dict[str, Any]:
    """Start an authorization code flow with PKCE, state and nonce. Raises PlatformError.

    With `login_hint`, that account must sign in again. Otherwise people select an account, because Microsoft doesn't
    combine a hint with select_account (learn.microsoft.com/entra/identity-platform/v2-protocols-oidc).

    The returned flow is ready for JSON. `auth_uri` is the address for the browser. The rest is secret and stays in the
    session until `redeem_code`.
    """
    prompt = {"prompt": "login", "login_hint": login_hint} if login_hint else {"prompt": "select_account"}
    flow: dict[str, Any] = _msal_application(tenant_id).initiate_auth_code_flow(
        scopes(), redirect_uri=redirect_uri, response_mode="query", **prompt
    )
    return flow


def start_identification(tenant_id: str, redirect_uri: str) -> dict[str, Any]:
    """Start an authorization code flow for an id token only. Microsoft's session makes it silent.

    Returns a flow as `start_sign_in` does. `redeem_id_token` completes it.
    """
    application = _msal_application(tenant_id, exclude_scopes=["offline_access"])
    flow: dict[str, Any] = application.initiate_auth_code_flow([], redirect_uri=redirect_uri, response_mode="query")
    return flow


def redeem_code(tenant_id: str, flow: Mapping[str, Any], query: Mapping[str, str]) -> tuple[Tokens, str]:
    """Exchange the code in the callback's query for tokens and an unverified id token.

    Raises PlatformError, also if Microsoft issues no refresh token.
    """
    result = _exchange_code(tenant_id, flow, query)
    return _read_tokens(result), str(result.get("id_token", ""))


def redeem_id_token(tenant_id: str, flow: Mapping[str, Any], query: Mapping[str, str]) -> str:
    """Exchange the code in the callback's query for an unverified id token. Discards access tokens.

    Raises PlatformError.
    """
    return str(_exchange_code(tenant_id, flow, query).get("id_token", ""))


def _exchange_code(tenant_id: str, flow: Mapping[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    application = _msal_application(tenant_id)
    try:
        result: dict[str, Any] = application.acquire_token_by_auth_code_flow(dict(flow), dict(query))
    except (MsalServiceError, requests.RequestException, JSONDecodeError) as error:
        raise _log_unreachable(error) from error
    except (ValueError, RuntimeError) as error:
        # MSAL raises these for the state or nonce of another sign-in.
        logger.warning("A sign-in at Microsoft was not accepted: %s", type(error).__name__)
        raise PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.OTHER_SIGN_IN)) from error
    if "access_token" not in result:
        raise _log_refusal(result, is_refresh=False)
    return result


def acquire_app_token(tenant_id: str) -> AppToken:
    """Request a new app-only token for the tenant. Raises PlatformError."""
    application = _msal_application(tenant_id)
    try:
        result = application.acquire_token_for_client([default_scope()])
    except (MsalServiceError, requests.RequestException, ValueError, RuntimeError) as error:
        raise _log_unreachable(error) from error
    if "access_token" not in result:
        raise _log_refusal(result, is_refresh=True)
    token = str(result["access_token"])
    return AppToken(
        token,
        time.time() + float(result.get("expires_in", _DEFAULT_LIFETIME_SECONDS)),
        _read_roles(token, tenant_id),
    )


def _read_roles(token: str, tenant_id: str) -> tuple[str, ...]:
    """Return the application permissions in a token that the token endpoint has just issued.

    The signature isn't verified: only Graph decides what the token allows. The roles tell an admin early which
    permission is missing (learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
    """
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        logger.warning("An app token cannot be read, so its roles are not known.")
        return ()
    roles = claims.get("roles")
    if str(claims.get("tid", "")).lower() != tenant_id.lower() or not isinstance(roles, list):
        return ()
    return tuple(str(role) for role in roles)


def refresh_tokens(tenant_id: str, refresh_token: str) -> Tokens:
    """Refresh the tokens. If Microsoft returns no new refresh token, keep the old one. Raises PlatformError."""
    application = _msal_application(tenant_id)
    try:
        result = application.acquire_token_by_refresh_token(refresh_token, scopes())
    except (MsalServiceError, requests.RequestException, ValueError, RuntimeError) as error:
        raise _log_unreachable(error) from error
    if "access_token" not in result:
        raise _log_refusal(result, is_refresh=True)
    return _read_tokens({**result, "refresh_token": result.get("refresh_token") or refresh_token})


def _msal_application(tenant_id: str, **options: Any) -> msal.ConfidentialClientApplication:
    """Return a new MSAL application. A shared one would replay an error response for 60 seconds."""
    try:
        return msal.ConfidentialClientApplication(
            settings.MICROSOFT_CLIENT_ID,
            client_credential=_client_credential(),
            authority=f"{entra_url()}/{tenant_id}",
            http_client=new_session(),
            # Discarded: MSAL caches tokens before it checks the nonce.
            token_cache=msal.TokenCache(),
            instance_discovery=False,
            **options,
        )
    except (MsalServiceError, requests.RequestException, ValueError) as error:
        raise _log_unreachable(error) from error


def _client_credential() -> str | dict[str, str]:
    path = settings.MICROSOFT_CLIENT_CERTIFICATE
    if not path:
        secret: str = settings.MICROSOFT_CLIENT_SECRET
        return secret
    try:
        key, certificate = read_certificate(Path(path))
    except (OSError, ValueError, TypeError) as error:
        logger.exception("MICROSOFT_CLIENT_CERTIFICATE cannot be used")
        raise _notify_operators(operator_error(), 0) from error
    return {"private_key": key, "public_certificate": certificate}


def _read_tokens(result: Mapping[str, Any]) -> Tokens:
    if not result.get("refresh_token"):
        raise PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.NO_REFRESH_TOKEN))
    # A missing `scope` means the requested scopes (RFC 6749, section 5.1).
    granted = str(result.get("scope") or " ".join(scopes())).split()
    names = (scope.removeprefix(f"{graph_url()}/") for scope in granted)
    return Tokens(
        str(result["access_token"]),
        time.time() + float(result.get("expires_in", _DEFAULT_LIFETIME_SECONDS)),
        str(result["refresh_token"]),
        tuple(name for name in names if name not in ("openid", "profile", "email", "offline_access")),
    )


def _log_refusal(result: Mapping[str, Any], *, is_refresh: bool) -> PlatformError:
    refusal = read_refusal(result)
    problem = refresh_error(refusal) if is_refresh else code_error(refusal)
    logger.warning(
        "Microsoft refused a %s: %s AADSTS%s, trace %s",
        "refresh" if is_refresh else "sign-in",
        refusal.error,
        refusal.number,
        refusal.trace_id,
        extra={"platform_request_id": refusal.trace_id},
    )
    return _notify_operators(problem, refusal.number)


def _notify_operators(problem: PlatformError, number: int) -> PlatformError:
    if problem.kind == ErrorKind.OPERATOR:
        report_refused_credentials(problem, number)
    return problem


def _log_unreachable(error: Exception) -> PlatformError:
    logger.warning("Microsoft's sign-in service gave no usable answer: %s", type(error).__name__)
    return unreachable()
