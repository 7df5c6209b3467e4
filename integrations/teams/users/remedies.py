"""Remedies for admins when a staff member isn't matched, without Microsoft jargon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _lazy

from integrations.models import Connection, HostPermission, MatchField, UserMatch
from integrations.platforms.values import MatchReason
from integrations.teams.models import Method

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
    MatchReason.PENDING: _lazy(
        "The account %(upn)s isn't active yet. Ask a Microsoft administrator to finish setting it up, then rematch."
    ),
    MatchReason.LOOKUP_REFUSED: _lazy(
        "Microsoft refuses to look up %(asked)s, but answers for other names. Check the %(field)s here for unusual "
        "characters, then rematch. If it is right, ask your Customer Success Team."
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
    "No Application Access Policy lets Coconut make meetings for %(upn)s. Ask a Microsoft administrator to run the "
    "commands below in PowerShell, then choose “I ran it”."
)
_WAITING: Final = _lazy(
    "Waiting for Microsoft: a new policy takes up to 30 minutes to spread, at times two days. Coconut asks again "
    "automatically and shows here when Microsoft lets it make meetings for %(upn)s."
)

_SPREAD: Final = _lazy(
    "One service account organises everybody's meetings here. Under the Application Access Policy method each staff "
    "member organises their own: ask your Customer Success Team for it. Or connect a second service account with "
    "+ New, and choose it as the Video Calls Platform in the profiles of some of the staff."
)
_SHARE: Final = _lazy(
    "Reassign some of this person's appointments to others, and let others take the new ones until the month is over."
)


def capacity_remedy(connection: Connection) -> str:
    """Return how an admin can spread meetings over more organizers."""
    return str(_SHARE if connection.teams.method == Method.ACCESS_POLICY else _SPREAD)


def remedy(connection: Connection, match: UserMatch) -> str:
    """Return one or two sentences, "" for a clean match. `powershell.scripts_for_users` has the commands."""
    params = {
        "field": str(MatchField(connection.match_field).label).lower(),
        # `queried_name` is empty while a new lookup waits. The remote name is usually the same.
        "asked": match.queried_name or match.remote_user_name,
        "hint": match.hint,
        "upn": match.remote_user_name or match.queried_name or "",
    }
    if match.needs_permission:
        return str(_WAITING if match.host_permission == HostPermission.WAITING else _POLICY) % params
    if match.reason == MatchReason.NOT_FOUND and match.hint:
        return str(_SEVERAL) % params
    return str(_SENTENCES.get(match.reason, "")) % params
