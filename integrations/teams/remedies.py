"""What an admin can do about somebody who is not matched, for people who do not know Microsoft's words."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from integrations.models import Connection, Coverage, MatchField, UserMatch
from integrations.platforms import MatchReason

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_SENTENCES: Final[Mapping[str, _StrOrPromise]] = {
    MatchReason.FIELD_EMPTY: _lazy(
        "This person has no %(field)s here. Enter the name they sign in to Microsoft with as the %(field)s."
    ),
    MatchReason.NOT_FOUND: _lazy(
        "Microsoft knows nobody who signs in as %(asked)s. Check the %(field)s here for a typing error, or ask a "
        "Microsoft administrator to add this person."
    ),
    MatchReason.ALIAS: _lazy(
        "Microsoft knows this person as %(hint)s. Use that as the %(field)s here, or ask a Microsoft administrator "
        "to make %(asked)s the name they sign in with (UPN)."
    ),
    MatchReason.DISABLED: _lazy(
        "Microsoft has blocked the sign-in of %(upn)s. Ask a Microsoft administrator to unblock it in the Microsoft "
        "365 admin center, then rematch."
    ),
    MatchReason.GUEST: _lazy(
        "Microsoft knows this person only as a guest (%(upn)s), and guests cannot host meetings. Use an account of "
        "your own organisation as the %(field)s here, or ask a Microsoft administrator to make one."
    ),
    MatchReason.NO_LICENCE: _lazy(
        "%(upn)s has no Microsoft Teams licence. Ask a Microsoft administrator to assign one in the Microsoft 365 "
        "admin center, then rematch."
    ),
    MatchReason.REFUSED: _lazy(
        "Microsoft does not let %(upn)s host meetings. Ask a Microsoft administrator to check that the account is "
        "enabled, is no guest and has a Microsoft Teams licence, then rematch."
    ),
}
_SEVERAL: Final = _lazy(
    "Microsoft has more than one user with the address %(asked)s: %(hint)s. Use the sign-in name (UPN) of the right "
    "one as the %(field)s here."
)
_POLICY: Final = _lazy(
    "No Application Access Policy lets Coconut make meetings for %(upn)s, or a new one has not spread yet, which takes "
    "up to 30 minutes. Ask a Microsoft administrator to run the following in PowerShell. A person has one policy at a "
    "time: this one takes the place of another."
)


def remedy(connection: Connection, match: UserMatch) -> str:
    """One or two sentences, followed by the lines for PowerShell where it is policy; "" for a clean match."""
    words = {
        "field": str(MatchField(connection.match_field).label).lower(),
        "asked": match.looked_up or "",
        "hint": match.hint,
        "upn": match.remote_upn or match.looked_up or "",
    }
    if match.reason == MatchReason.NO_POLICY or (not match.reason and _is_uncovered(match)):
        return "\n".join([str(_POLICY) % words, *policy_commands(match.remote_id)])
    if match.reason == MatchReason.NOT_FOUND and match.hint:
        return str(_SEVERAL) % words
    return str(_SENTENCES.get(match.reason, "")) % words


def _is_uncovered(match: UserMatch) -> bool:
    return match.coverage in (Coverage.FORBIDDEN, Coverage.WAITING)


def policy_commands(oid: str) -> list[str]:
    """The PowerShell lines that let Coconut make meetings for a user.

    (learn.microsoft.com/graph/cloud-communication-online-meeting-application-access-policy.)
    """
    return [
        f'New-CsApplicationAccessPolicy -Identity Coconut -AppIds "{settings.MICROSOFT_CLIENT_ID}"',
        f'Grant-CsApplicationAccessPolicy -PolicyName Coconut -Identity "{_guid(oid)}"',
    ]


def _guid(oid: str) -> str:
    """An administrator will run the line, so that nothing but a GUID may get into it."""
    try:
        return str(uuid.UUID(oid))
    except ValueError:
        return _("object id of the user")
