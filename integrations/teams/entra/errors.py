"""What Entra's refusals mean: who has to act, and a sentence that says how.

The state follows from `error`; AADSTS numbers may change and only choose the sentence, as Microsoft asks
(learn.microsoft.com/entra/identity-platform/reference-error-codes). Nothing of Entra's own text reaches a page.
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
# Why a refresh was refused, by AADSTS number.
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
_ELSEWHERE = frozenset({700016, 7000112, 70001})
_UNAVAILABLE = frozenset({"temporarily_unavailable", "server_error", "service_unavailable"})
_ASKS_FOR_SIGN_IN = frozenset({"invalid_grant", "interaction_required", "consent_required", "login_required"})


@dataclass(frozen=True)
class Refusal:
    """Entra's error: the OAuth word, the AADSTS number (0: none) and the trace id for support."""

    error: str
    number: int = 0
    trace_id: str = ""


def read_refusal(answer: Mapping[str, Any]) -> Refusal:
    """Read a refusal from a token endpoint's answer or from the query of a return."""
    error = answer.get("error")
    numbers = answer.get("error_codes") or _NUMBER.findall(str(answer.get("error_description", "")))
    first = str(numbers[0]) if isinstance(numbers, list) and numbers else ""
    return Refusal(
        error if isinstance(error, str) else "",
        int(first) if first.isdecimal() else 0,
        str(answer.get("trace_id", "")),
    )


def unreachable() -> PlatformError:
    """Microsoft gave no usable answer; trying again later helps."""
    return PlatformError(ErrorKind.OUTAGE, _("Microsoft's sign-in service cannot be reached at the moment."))


def operators_fault(request_id: str = "") -> PlatformError:
    """Coconut's own app registration is at fault; nothing an admin could do would help."""
    sentence = _(
        "Microsoft does not accept Coconut's own credentials. This is for Coconut's operator to mend, who has been "
        "told; there is nothing wrong with your account or your tenant."
    )
    return PlatformError(ErrorKind.OPERATOR, sentence, request_id=request_id)


def refused_refresh(refusal: Refusal) -> PlatformError:
    """Why Entra refused to renew the tokens of a connection."""
    if refusal.error in _UNAVAILABLE or not refusal.error:
        return unreachable()
    if refusal.error in _ASKS_FOR_SIGN_IN or refusal.number in (_ELSEWHERE | {50105, 90002}):
        hint = _HINTS.get(refusal.number) or _("Microsoft no longer accepts the sign-in. Use Reauthorize.")
        return PlatformError(ErrorKind.CONNECTION, str(hint), request_id=refusal.trace_id)
    return operators_fault(refusal.trace_id)


def refused_code(refusal: Refusal) -> PlatformError:
    """Why Entra refused to turn the code of a sign-in into tokens."""
    problem = refused_refresh(refusal)
    if problem.kind != ErrorKind.CONNECTION:
        return problem
    sentence = _("Microsoft did not accept this sign-in; it may have been used before or taken too long.")
    return PlatformError(ErrorKind.CONNECTION, sentence, request_id=refusal.trace_id)


def refused_return(answer: Mapping[str, Any]) -> PlatformError:
    """Why Microsoft sent somebody back without a code. `answer` is the query: anybody can write one."""
    refusal = read_refusal(answer)
    if refusal.error in _UNAVAILABLE:
        return unreachable()
    if refusal.error in ("access_denied", "consent_required", "permission_denied"):
        # The same answer comes when somebody pressed Cancel and when consent needs an administrator.
        sentence = _(
            "Coconut was not given permission at Microsoft: either Cancel was pressed, or your organisation wants an "
            "administrator to approve Coconut first."
        )
        return PlatformError(ErrorKind.CONNECTION, sentence)
    return PlatformError(ErrorKind.CONNECTION, _("Microsoft could not complete the sign-in."))
