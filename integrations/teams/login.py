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

import msal
import requests
from django.conf import settings
from django.utils.translation import gettext as _
from msal.exceptions import MsalServiceError

from integrations.platforms import ErrorKind, PlatformError
from integrations.teams.certificate import read_certificate
from integrations.teams.entra_errors import (
    operators_fault,
    read_refusal,
    refused_code,
    refused_refresh,
    unreachable,
)
from integrations.teams.http import entra_url, graph_url, new_session
from integrations.teams.operators import tell_operators

# None of these needs an administrator. MSAL adds openid, profile and offline_access.
PERMISSIONS: Final = ("User.Read", "User.ReadBasic.All", "OnlineMeetings.ReadWrite")
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


def scopes() -> list[str]:
    """The delegated permissions, written once: for authorize, exchange and refresh."""
    return [f"{graph_url()}/{name}" for name in PERMISSIONS]


def is_configured() -> bool:
    """Whether the operator has entered an app registration."""
    return bool(
        settings.MICROSOFT_CLIENT_ID
        and (settings.MICROSOFT_CLIENT_SECRET or settings.MICROSOFT_CLIENT_CERTIFICATE)
    )


def start_sign_in(tenant_id: str, redirect_uri: str) -> dict[str, Any]:
    """Begin an auth-code flow with PKCE, state and nonce.

    The answer is JSON-ready: `auth_uri` is where to send the browser, `state` names the attempt; the rest is secret
    and stays in the session until `redeem`. Raises PlatformError.
    """
    application = _application(tenant_id)
    flow: dict[str, Any] = application.initiate_auth_code_flow(
        scopes(), redirect_uri=redirect_uri, prompt="select_account", response_mode="query"
    )
    return flow


def redeem(tenant_id: str, flow: Mapping[str, Any], answer: Mapping[str, str]) -> tuple[Tokens, str]:
    """Turn the code in `answer` (the query of the return) into tokens and an id token that nobody has checked yet.

    Raises PlatformError; a success without a refresh token is one.
    """
    application = _application(tenant_id)
    try:
        result = application.acquire_token_by_auth_code_flow(dict(flow), dict(answer))
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
    return _read_tokens(result), str(result.get("id_token", ""))


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


def _application(tenant_id: str) -> msal.ConfidentialClientApplication:
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
    )
    return _told(problem, refusal.number)


def _told(problem: PlatformError, number: int) -> PlatformError:
    if problem.kind == ErrorKind.OPERATOR:
        tell_operators(problem, number)
    return problem


def _unreachable(error: Exception) -> PlatformError:
    logger.warning("Microsoft's sign-in service gave no usable answer: %s", type(error).__name__)
    return unreachable()
