"""Signing in at Microsoft: authorization, tokens, refresh. The only module that imports MSAL."""

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
from django.utils.translation import gettext as _
from msal.exceptions import MsalServiceError

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra.certificate import read_certificate
from integrations.teams.entra.errors import (
    operators_fault,
    read_refusal,
    refused_code,
    refused_refresh,
    unreachable,
)
from integrations.teams.http import entra_url, graph_url, new_session
from integrations.teams.operator_mail import email_operators

# None of these needs an administrator. MSAL adds openid, profile and offline_access.
PERMISSIONS: Final = ("User.Read", "User.ReadBasic.All", "OnlineMeetings.ReadWrite")
# What an administrator consents to under an access policy; asked for as /.default, which means all that the app
# registration lists (learn.microsoft.com/entra/identity-platform/v2-admin-consent).
ROLES: Final = ("OnlineMeetings.ReadWrite.All", "User.Read.All")
# How long a token is said to live when Microsoft does not say.
_SHORT_LIFE: Final = 300
logger = logging.getLogger(__name__)
# MSAL recommends form_post, but a POST from another site comes without the session (SameSite=Lax) that holds the flow.
warnings.filterwarnings("ignore", message="response_mode='form_post' is recommended", category=UserWarning)


@dataclass(frozen=True)
class Tokens:
    """What Microsoft issued: `expires_at` in unix seconds, `granted` by bare names such as `User.Read`."""

    access_token: str
    expires_at: float
    refresh_token: str
    granted: tuple[str, ...]

    def as_stored(self) -> dict[str, Any]:
        """The value of `TeamsConnection.tokens`."""
        return {
            "access_token": self.access_token,
            "expires_at": self.expires_at,
            "refresh_token": self.refresh_token,
        }


@dataclass(frozen=True)
class AppToken:
    """A token of Coconut itself for one tenant: `expires_at` in unix seconds, `roles` by bare names.

    Microsoft issues one even where nobody has consented to anything, and then without roles.
    """

    access_token: str
    expires_at: float
    roles: tuple[str, ...]

    @property
    def missing_roles(self) -> list[str]:
        return [role for role in ROLES if role not in self.roles]


def default_scope() -> str:
    """Everything that the app registration lists, for admin consent and for app tokens."""
    return f"{graph_url()}/.default"


def scopes() -> list[str]:
    """The delegated permissions, written once: for authorize, exchange and refresh."""
    return [f"{graph_url()}/{name}" for name in PERMISSIONS]


def is_configured() -> bool:
    """Whether the operator has entered an app registration."""
    return bool(
        settings.MICROSOFT_CLIENT_ID
        and (settings.MICROSOFT_CLIENT_SECRET or settings.MICROSOFT_CLIENT_CERTIFICATE)
    )


def start_sign_in(tenant_id: str, redirect_uri: str, *, login_hint: str = "") -> dict[str, Any]:
    """Begin an auth-code flow with PKCE, state and nonce.

    With `login_hint` that account must sign in anew, else people choose one: Microsoft takes no hint beside a choice
    (learn.microsoft.com/entra/identity-platform/v2-protocols-oidc). The answer is JSON-ready: `auth_uri` is where to
    send the browser, `state` names the attempt; the rest is secret and stays in the session until `redeem`. Raises
    PlatformError.
    """
    prompt = {"prompt": "login", "login_hint": login_hint} if login_hint else {"prompt": "select_account"}
    flow: dict[str, Any] = _application(tenant_id).initiate_auth_code_flow(
        scopes(), redirect_uri=redirect_uri, response_mode="query", **prompt
    )
    return flow


def start_identification(tenant_id: str, redirect_uri: str) -> dict[str, Any]:
    """Begin an auth-code flow that only says who somebody is; no click while Microsoft's own session lives.

    As `start_sign_in`; `redeem_identity` ends it.
    """
    application = _application(tenant_id, exclude_scopes=["offline_access"])
    flow: dict[str, Any] = application.initiate_auth_code_flow(
        [], redirect_uri=redirect_uri, response_mode="query"
    )
    return flow


def redeem(tenant_id: str, flow: Mapping[str, Any], answer: Mapping[str, str]) -> tuple[Tokens, str]:
    """Turn the code in `answer` (the query of the return) into tokens and an id token that nobody has checked yet.

    Raises PlatformError; a success without a refresh token is one.
    """
    result = _redeem(tenant_id, flow, answer)
    return _read_tokens(result), str(result.get("id_token", ""))


def redeem_identity(tenant_id: str, flow: Mapping[str, Any], answer: Mapping[str, str]) -> str:
    """The id token for the code in `answer`, not checked yet; tokens that come with it are thrown away.

    Raises PlatformError.
    """
    return str(_redeem(tenant_id, flow, answer).get("id_token", ""))


def _redeem(tenant_id: str, flow: Mapping[str, Any], answer: Mapping[str, str]) -> dict[str, Any]:
    application = _application(tenant_id)
    try:
        result: dict[str, Any] = application.acquire_token_by_auth_code_flow(dict(flow), dict(answer))
    except (MsalServiceError, requests.RequestException, JSONDecodeError) as error:
        raise _unreachable(error) from error
    except (ValueError, RuntimeError) as error:
        # The state or the nonce is another attempt's.
        logger.warning("A sign-in at Microsoft was not accepted: %s", type(error).__name__)
        raise PlatformError(
            ErrorKind.CONNECTION, _("Microsoft's answer does not belong to this sign-in.")
        ) from error
    if "access_token" not in result:
        raise _refused(result, is_refresh=False)
    return result


def app_token(tenant_id: str) -> AppToken:
    """A fresh token of Coconut itself for this tenant. Raises PlatformError."""
    application = _application(tenant_id)
    try:
        result = application.acquire_token_for_client([default_scope()])
    except (MsalServiceError, requests.RequestException, ValueError, RuntimeError) as error:
        raise _unreachable(error) from error
    if "access_token" not in result:
        raise _refused(result, is_refresh=True)
    token = str(result["access_token"])
    return AppToken(
        token, time.time() + float(result.get("expires_in", _SHORT_LIFE)), _roles_in(token, tenant_id)
    )


def _roles_in(token: str, tenant_id: str) -> tuple[str, ...]:
    """The application permissions in a token that came from Microsoft's token endpoint just now.

    Its signature is Graph's to check, and Graph's refusals stay authoritative; this only tells an admin in time what
    is missing (learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
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


def refresh(tenant_id: str, refresh_token: str) -> Tokens:
    """Get new tokens. Where Microsoft keeps the refresh token as it is, so do we. Raises PlatformError."""
    application = _application(tenant_id)
    try:
        result = application.acquire_token_by_refresh_token(refresh_token, scopes())
    except (MsalServiceError, requests.RequestException, ValueError, RuntimeError) as error:
        raise _unreachable(error) from error
    if "access_token" not in result:
        raise _refused(result, is_refresh=True)
    return _read_tokens({**result, "refresh_token": result.get("refresh_token") or refresh_token})


def _application(tenant_id: str, **options: Any) -> msal.ConfidentialClientApplication:
    """A new MSAL application for one attempt: a shared one would replay a refusal for a minute."""
    try:
        return msal.ConfidentialClientApplication(
            settings.MICROSOFT_CLIENT_ID,
            client_credential=_credential(),
            authority=f"{entra_url()}/{tenant_id}",
            http_client=new_session(),
            # Thrown away: MSAL puts tokens into it before it looks at the nonce.
            token_cache=msal.TokenCache(),
            instance_discovery=False,
            **options,
        )
    except (MsalServiceError, requests.RequestException, ValueError) as error:
        raise _unreachable(error) from error


def _credential() -> str | dict[str, str]:
    path = settings.MICROSOFT_CLIENT_CERTIFICATE
    if not path:
        secret: str = settings.MICROSOFT_CLIENT_SECRET
        return secret
    try:
        key, certificate = read_certificate(Path(path))
    except (OSError, ValueError, TypeError) as error:
        logger.exception("MICROSOFT_CLIENT_CERTIFICATE cannot be used")
        raise _told(operators_fault(), 0) from error
    return {"private_key": key, "public_certificate": certificate}


def _read_tokens(result: Mapping[str, Any]) -> Tokens:
    if not result.get("refresh_token"):
        sentence = _(
            "Microsoft did not allow Coconut to stay signed in (no refresh token), so the connection would end within "
            "the hour. Ask a Microsoft 365 administrator to allow “Maintain access to data” for Coconut."
        )
        raise PlatformError(ErrorKind.CONNECTION, sentence)
    # Left out, it means: what was asked for (RFC 6749, 5.1).
    given = str(result.get("scope") or " ".join(scopes())).split()
    names = (scope.removeprefix(f"{graph_url()}/") for scope in given)
    return Tokens(
        str(result["access_token"]),
        time.time() + float(result.get("expires_in", _SHORT_LIFE)),
        str(result["refresh_token"]),
        tuple(name for name in names if name not in ("openid", "profile", "email", "offline_access")),
    )


def _refused(result: Mapping[str, Any], *, is_refresh: bool) -> PlatformError:
    refusal = read_refusal(result)
    problem = refused_refresh(refusal) if is_refresh else refused_code(refusal)
    logger.warning(
        "Microsoft refused a %s: %s AADSTS%s, trace %s",
        "refresh" if is_refresh else "sign-in",
        refusal.error,
        refusal.number,
        refusal.trace_id,
        extra={"platform_request_id": refusal.trace_id},
    )
    return _told(problem, refusal.number)


def _told(problem: PlatformError, number: int) -> PlatformError:
    if problem.kind == ErrorKind.OPERATOR:
        email_operators(problem, number)
    return problem


def _unreachable(error: Exception) -> PlatformError:
    logger.warning("Microsoft's sign-in service gave no usable answer: %s", type(error).__name__)
    return unreachable()
