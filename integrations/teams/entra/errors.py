"""Map Entra's error responses to error kinds and sentences with the remedy.

Microsoft asks clients to branch on `error`: AADSTS numbers may change, so they mostly choose the sentence
(learn.microsoft.com/entra/identity-platform/reference-error-codes). Entra's own text is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError

_NUMBER = re.compile(r"AADSTS(\d+)")

_BLOCKED = gettext_lazy(
    "A Conditional Access or multi-factor rule of Microsoft Entra stops the account. Ask a Microsoft 365 administrator "
    "to exempt it, then use Reauthorize."
)
_REVOKED = gettext_lazy(
    "Microsoft ended the account's sign-in, for example after a password reset. Use Reauthorize."
)
_IDLE = gettext_lazy("Microsoft's sign-in ended because it was not used for a long time. Use Reauthorize.")
_NO_CONSENT = gettext_lazy(
    "The consent to Coconut's permissions was taken back at Microsoft. Use Reauthorize."
)
_NOT_INSTALLED = gettext_lazy(
    "Coconut was removed or switched off in your Microsoft tenant. Ask a Microsoft 365 administrator to allow it, then "
    "use Reauthorize."
)
# Sentences for a refused refresh, by AADSTS number.
_HINTS: Final = {
    **dict.fromkeys((50074, 50076, 50079, 50158, 53000, 53001, 53003, 530032, 530034, 530035), _BLOCKED),
    **dict.fromkeys((50132, 50133, 50173), _REVOKED),
    **dict.fromkeys((70008, 700082), _IDLE),
    65001: _NO_CONSENT,
    **dict.fromkeys((700016, 7000112, 70001), _NOT_INSTALLED),
    50034: gettext_lazy(
        "The account no longer exists in your Microsoft tenant. Restore it at Microsoft, then use Reauthorize."
    ),
    50053: gettext_lazy(
        "Microsoft locked the account. Ask a Microsoft 365 administrator to unlock it, then use Reauthorize."
    ),
    50055: gettext_lazy("The account's password has expired. Change it at Microsoft, then use Reauthorize."),
    50057: gettext_lazy("The account is disabled at Microsoft. Enable it there, then use Reauthorize."),
    50105: gettext_lazy(
        "The account is not assigned to Coconut in Microsoft Entra. Ask a Microsoft 365 administrator to assign it, "
        "then use Reauthorize."
    ),
    70043: gettext_lazy(
        "A sign-in frequency rule of Microsoft Entra ended the sign-in, and will again. Ask a Microsoft 365 "
        "administrator to exempt the account, then use Reauthorize."
    ),
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
    return PlatformError(ErrorKind.OUTAGE, _("Microsoft's sign-in service cannot be reached at the moment."))


def operator_error(request_id: str = "") -> PlatformError:
    """Return the error for rejected app credentials, which only the operator can fix."""
    sentence = _(
        "Microsoft does not accept Coconut's own credentials. This is for Coconut's operator to fix, who has been "
        "told; there is nothing wrong with your account or your tenant."
    )
    return PlatformError(ErrorKind.OPERATOR, sentence, request_id=request_id)


def refresh_error(refusal: Refusal) -> PlatformError:
    """Return the error for a refused token refresh or app token."""
    if refusal.error in _TRANSIENT_ERRORS or not refusal.error:
        return unreachable()
    if refusal.error in _SIGN_IN_REQUIRED or refusal.number in (_APP_NOT_IN_TENANT | {50105, 90002}):
        hint = _HINTS.get(refusal.number) or _("Microsoft no longer accepts the sign-in. Use Reauthorize.")
        return PlatformError(ErrorKind.CONNECTION, str(hint), request_id=refusal.trace_id)
    return operator_error(refusal.trace_id)


def code_error(refusal: Refusal) -> PlatformError:
    """Return the error for a refused authorization code."""
    problem = refresh_error(refusal)
    if problem.kind != ErrorKind.CONNECTION:
        return problem
    sentence = _("Microsoft did not accept this sign-in; it may have been used before or taken too long.")
    return PlatformError(ErrorKind.CONNECTION, sentence, request_id=refusal.trace_id)


def callback_error(query: Mapping[str, Any]) -> PlatformError:
    """Return the error for a callback without a code. The query can be forged."""
    refusal = read_refusal(query)
    if refusal.error in _TRANSIENT_ERRORS:
        return unreachable()
    if refusal.error in ("access_denied", "consent_required", "permission_denied"):
        # Microsoft sends the same error for Cancel and for a consent that needs an administrator.
        sentence = _(
            "Coconut was not given permission at Microsoft: either Cancel was pressed, or your organisation wants an "
            "administrator to approve Coconut first."
        )
        return PlatformError(ErrorKind.CONNECTION, sentence)
    return PlatformError(ErrorKind.CONNECTION, _("Microsoft could not complete the sign-in."))
