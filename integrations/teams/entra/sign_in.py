"""OAuth client for Entra: authorization, tokens, refresh. The only module that imports MSAL."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from json import JSONDecodeError
from pathlib import Path
from typing import Any, Final

import msal
import requests
from django.conf import settings
from msal.exceptions import MsalServiceError

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra.certificate import read_certificate
from integrations.teams.entra.error_table import CLOCK_NUMBERS
from integrations.teams.entra.errors import operator_error, read_refusal, token_error, unreachable
from integrations.teams.entra.token_responses import (
    AppToken,
    Tokens,
    default_scope,
    is_usable,
    read_app_token,
    read_tokens,
    scopes,
)
from integrations.teams.http import LastResponse, entra_url, watched_session
from integrations.teams.messages import TeamsMessage
from integrations.teams.operator_mail import report_refused_credentials, report_wrong_clock

# Besides its own error, MSAL raises what reading a malformed id token or `client_info` raises.
_MSAL_ERRORS: Final = (
    MsalServiceError,
    requests.RequestException,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
logger = logging.getLogger(__name__)
# MSAL recommends form_post, but a cross-site POST doesn't carry the session cookie (SameSite=Lax) with the flow.
warnings.filterwarnings("ignore", message="response_mode='form_post' is recommended", category=UserWarning)


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
    client = _Client(tenant_id, is_connecting=True)
    flow: dict[str, Any] = client.application.initiate_auth_code_flow(
        scopes(), redirect_uri=redirect_uri, response_mode="query", **prompt
    )
    return flow


def start_identification(tenant_id: str, redirect_uri: str) -> dict[str, Any]:
    """Start an authorization code flow for an id token only. Microsoft's session makes it silent.

    Returns a flow as `start_sign_in` does. `redeem_id_token` completes it.
    """
    client = _Client(tenant_id, is_connecting=True, exclude_scopes=["offline_access"])
    flow: dict[str, Any] = client.application.initiate_auth_code_flow(
        [], redirect_uri=redirect_uri, response_mode="query"
    )
    return flow


def redeem_code(tenant_id: str, flow: Mapping[str, Any], query: Mapping[str, str]) -> tuple[Tokens, str]:
    """Exchange the code in the callback's query for tokens and an unverified id token.

    Raises PlatformError, also if Microsoft issues no refresh token.
    """
    result = _exchange_code(tenant_id, flow, query)
    return read_tokens(result), str(result.get("id_token", ""))


def redeem_id_token(tenant_id: str, flow: Mapping[str, Any], query: Mapping[str, str]) -> str:
    """Exchange the code in the callback's query for an unverified id token. Discards access tokens.

    Raises PlatformError.
    """
    return str(_exchange_code(tenant_id, flow, query).get("id_token", ""))


def _exchange_code(tenant_id: str, flow: Mapping[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    client = _Client(tenant_id, is_connecting=True)

    def exchange() -> dict[str, Any]:
        try:
            result: dict[str, Any] = client.application.acquire_token_by_auth_code_flow(dict(flow), dict(query))
        except (requests.RequestException, JSONDecodeError):
            raise
        except (ValueError, RuntimeError) as error:
            # MSAL raises these for the state or nonce of another sign-in.
            logger.warning("A sign-in at Microsoft was not accepted: %s", type(error).__name__)
            raise PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.OTHER_SIGN_IN)) from error
        return result

    return client.request(exchange)


def acquire_app_token(tenant_id: str, *, is_connecting: bool = False) -> AppToken:
    """Request a new app-only token for the tenant. `is_connecting`: an admin is signing in. Raises PlatformError."""
    client = _Client(tenant_id, is_connecting=is_connecting)
    result = client.request(lambda: client.application.acquire_token_for_client([default_scope()]))
    return read_app_token(result, tenant_id)


def refresh_tokens(tenant_id: str, refresh_token: str, *, is_connecting: bool = False) -> Tokens:
    """Refresh the tokens. If Microsoft returns no new refresh token, keep the old one. Raises PlatformError."""
    client = _Client(tenant_id, is_connecting=is_connecting)
    result = client.request(lambda: client.application.acquire_token_by_refresh_token(refresh_token, scopes()))
    return read_tokens({**result, "refresh_token": result.get("refresh_token") or refresh_token})


class _Client:
    """MSAL application for one tenant and one request. A shared one would replay an error response for 60 seconds."""

    def __init__(self, tenant_id: str, *, is_connecting: bool, **options: Any) -> None:
        """`is_connecting`: an admin is signing in, so no connection needs Reauthorize. Raises PlatformError."""
        self._is_connecting = is_connecting
        session, self._last = watched_session(is_usable)
        try:
            self.application = msal.ConfidentialClientApplication(
                settings.MICROSOFT_CLIENT_ID,
                client_credential=_client_credential(),
                authority=f"{entra_url()}/{tenant_id}",
                http_client=session,
                # Discarded: MSAL caches tokens before it checks the nonce.
                token_cache=msal.TokenCache(),
                instance_discovery=False,
                **options,
            )
        except _MSAL_ERRORS as error:
            raise self._failure(error) from error

    def request(self, send: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the token response. Raises PlatformError if Microsoft refuses or gives no usable response."""
        try:
            result = send()
        except _MSAL_ERRORS as error:
            raise self._failure(error) from error
        if not isinstance(result.get("access_token"), str):
            raise self._refusal(result)
        return result

    def _refusal(self, result: Mapping[str, Any]) -> PlatformError:
        refusal = read_refusal(result, self._last)
        logger.warning(
            "Microsoft refused a %s: %s AADSTS%s, trace %s",
            "sign-in" if self._is_connecting else "refresh",
            refusal.error,
            refusal.number,
            refusal.trace_id,
            extra={"platform_request_id": refusal.trace_id},
        )
        problem = token_error(refusal, is_connecting=self._is_connecting)
        return _notify_operators(problem, refusal.number, self._last)

    def _failure(self, error: Exception) -> PlatformError:
        """Return the error for an exception of MSAL. Some are refusals: with a status of 5xx, or of discovery."""
        if self._last.body.get("error"):
            return self._refusal(self._last.body)
        # Other errors than these may be ours.
        is_expected = isinstance(error, MsalServiceError | requests.RequestException | ValueError | RuntimeError)
        name = type(error).__name__
        logger.warning("Microsoft's sign-in service gave no usable answer: %s", name, exc_info=not is_expected)
        return unreachable(self._last, is_connecting=self._is_connecting)


def _client_credential() -> str | dict[str, str]:
    path = settings.MICROSOFT_CLIENT_CERTIFICATE
    if not path:
        secret: str = settings.MICROSOFT_CLIENT_SECRET
        return secret
    try:
        key, certificate = read_certificate(Path(path))
    except (OSError, ValueError, TypeError) as error:
        logger.exception("MICROSOFT_CLIENT_CERTIFICATE cannot be used")
        raise _notify_operators(operator_error(), 0, LastResponse()) from error
    return {"private_key": key, "public_certificate": certificate}


def _notify_operators(problem: PlatformError, number: int, last: LastResponse) -> PlatformError:
    """Email operators if they must act. Return the problem."""
    if number in CLOCK_NUMBERS:
        report_wrong_clock(last.clock_offset)
    elif problem.kind == ErrorKind.OPERATOR:
        report_refused_credentials(problem, number)
    return problem
