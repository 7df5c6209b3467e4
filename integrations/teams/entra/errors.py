"""Map Entra's error responses to error kinds and messages with the remedy.

Microsoft asks clients to branch on `error`: AADSTS numbers may change, so they mostly choose the message
(learn.microsoft.com/entra/identity-platform/reference-error-codes). Entra's own text is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.messages import TeamsMessage

_NUMBER = re.compile(r"AADSTS(\d+)")

# Reasons of a refused refresh, by AADSTS number.
_REASONS: Final = {
    **dict.fromkeys((50074, 50076, 50079, 50158, 53000, 53001, 53003, 530032, 530034, 530035), TeamsMessage.BLOCKED),
    **dict.fromkeys((50132, 50133, 50173), TeamsMessage.REVOKED),
    **dict.fromkeys((70008, 700082), TeamsMessage.IDLE),
    65001: TeamsMessage.NO_CONSENT,
    **dict.fromkeys((700016, 7000112, 70001), TeamsMessage.NOT_INSTALLED),
    50034: TeamsMessage.ACCOUNT_DELETED,
    50053: TeamsMessage.ACCOUNT_LOCKED,
    50055: TeamsMessage.PASSWORD_EXPIRED,
    50057: TeamsMessage.ACCOUNT_DISABLED,
    50105: TeamsMessage.NOT_ASSIGNED,
    70043: TeamsMessage.SIGN_IN_FREQUENCY,
}
_APP_NOT_IN_TENANT = frozenset({700016, 7000112, 70001})
_TRANSIENT_ERRORS = frozenset({"temporarily_unavailable", "server_error", "service_unavailable"})
_SIGN_IN_REQUIRED = frozenset({"invalid_grant", "interaction_required", "consent_required", "login_required"})


@dataclass(frozen=True)
class Refusal:
    """Entra's error response: OAuth error code, AADSTS number (0 if missing), trace id for support."""

    error: str
    number: int = 0
    trace_id: str = ""


def read_refusal(response: Mapping[str, Any]) -> Refusal:
    """Read an error response of the token endpoint, or an error in the callback's query."""
    error = response.get("error")
    numbers = response.get("error_codes") or _NUMBER.findall(str(response.get("error_description", "")))
    first = str(numbers[0]) if isinstance(numbers, list) and numbers else ""
    return Refusal(
        error if isinstance(error, str) else "",
        int(first) if first.isdecimal() else 0,
        str(response.get("trace_id", "")),
    )


def unreachable() -> PlatformError:
    """Return the error for a missing or unusable response. A later attempt may succeed."""
    return PlatformError(ErrorKind.OUTAGE, Message(TeamsMessage.SIGN_IN_UNREACHABLE))


def operator_error(request_id: str = "") -> PlatformError:
    """Return the error for rejected app credentials, which only the operator can fix."""
    return PlatformError(ErrorKind.OPERATOR, Message(TeamsMessage.OUR_CREDENTIALS), request_id=request_id)


def refresh_error(refusal: Refusal) -> PlatformError:
    """Return the error for a refused token refresh or app token."""
    if refusal.error in _TRANSIENT_ERRORS or not refusal.error:
        return unreachable()
    if refusal.error in _SIGN_IN_REQUIRED or refusal.number in (_APP_NOT_IN_TENANT | {50105, 90002}):
        reason = _REASONS.get(refusal.number, TeamsMessage.SIGN_IN_ENDED)
        return PlatformError(ErrorKind.CONNECTION, Message(reason), request_id=refusal.trace_id)
    return operator_error(refusal.trace_id)


def code_error(refusal: Refusal) -> PlatformError:
    """Return the error for a refused authorization code."""
    problem = refresh_error(refusal)
    if problem.kind != ErrorKind.CONNECTION:
        return problem
    return PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.CODE_REFUSED), request_id=refusal.trace_id)


def callback_error(query: Mapping[str, Any]) -> PlatformError:
    """Return the error for a callback without a code. The query can be forged."""
    refusal = read_refusal(query)
    if refusal.error in _TRANSIENT_ERRORS:
        return unreachable()
    if refusal.error in ("access_denied", "consent_required", "permission_denied"):
        return PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.CONSENT_DENIED))
    return PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.SIGN_IN_FAILED))
