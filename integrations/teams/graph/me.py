"""Read an account with its own token, even before a connection exists: profile, Teams licence and tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.http import Unreachable, clean_text, get_json, graph_url
from integrations.teams.messages import TeamsMessage

# Length of the column that stores it.
_LONGEST_ID: Final = 100
#: Fields of `AccountProfile`. User.Read is enough for them (learn.microsoft.com/graph/permissions-reference).
PROFILE_FIELDS: Final = "id,displayName,userPrincipalName,userType"
# Service plans of Teams: TEAMS1 (learn.microsoft.com/entra/identity/users/licensing-service-plan-reference). Those of
# US government clouds (TEAMS_GOV, TEAMS_AR_GCCHIGH, TEAMS_AR_DOD) are from memory; a wrong id costs only a warning.
_TEAMS_PLANS: Final = frozenset(
    {
        "57ff2da0-773e-42df-b2af-ffb7a2317929",
        "304767db-7d23-49e8-a945-4a7eb65f9f28",
        "9953b155-8aef-4c56-92f3-72b0487fce41",
        "fd500458-c24c-478e-856c-a6067a8376cd",
    }
)


@dataclass(frozen=True)
class AccountProfile:
    """Profile of an account."""

    oid: str
    upn: str
    name: str
    is_guest: bool = False


def read_account(access_token: str) -> AccountProfile:
    """Read `/me`. Raises PlatformError: OUTAGE without a usable response, CONNECTION if Graph refuses the token."""
    try:
        status, document = get_json(f"{graph_url()}/v1.0/me?$select={PROFILE_FIELDS}", token=access_token)
    except Unreachable as error:
        message = Message(TeamsMessage.GRAPH_UNREACHABLE)
        raise PlatformError(ErrorKind.OUTAGE, message, request_id=error.request_id) from error
    if not 200 <= status < 300:
        raise PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.PROFILE_REFUSED))
    profile = parse_profile(document)
    if profile is None:
        raise PlatformError(ErrorKind.OUTAGE, Message(TeamsMessage.GRAPH_UNREACHABLE))
    return profile


def parse_profile(document: object) -> AccountProfile | None:
    """Return the profile in a user object with `PROFILE_FIELDS`, None without a usable id."""
    if not isinstance(document, dict):
        return None
    oid = document.get("id")
    if not isinstance(oid, str) or not 0 < len(oid) <= _LONGEST_ID or not oid.isprintable():
        return None
    upn = clean_text(document.get("userPrincipalName"), 320)
    return AccountProfile(oid, upn, clean_text(document.get("displayName"), 300), _is_guest(document, upn))


def _is_guest(document: Mapping[str, Any], upn: str) -> bool:
    """Return whether the account is at home in another tenant.

    Entra puts "#EXT#" into its user name (learn.microsoft.com/entra/external-id/user-properties).
    """
    return str(document.get("userType")).casefold() == "guest" or "#ext#" in upn.casefold()


def licence_warning(access_token: str, account: str) -> Message:
    """Return a warning if Microsoft shows no Teams licence of the signed-in account, else an empty message.

    User.Read is enough, but roles may be needed as well (learn.microsoft.com/graph/api/user-list-licensedetails). An
    account whose licences can't be read may work, so this is never an error.
    """
    try:
        status, document = get_json(f"{graph_url()}/v1.0/me/licenseDetails", token=access_token)
    except Unreachable:
        status, document = 0, {}
    rows = document.get("value")
    if status != 200 or not isinstance(rows, list):
        return Message(TeamsMessage.LICENCE_UNKNOWN, {"account": account})
    has_licence = any(_is_usable_teams_plan(plan) for row in rows for plan in _service_plans(row))
    return Message() if has_licence else Message(TeamsMessage.LICENCE_MISSING, {"account": account})


def _service_plans(row: object) -> list[Any]:
    plans = row.get("servicePlans") if isinstance(row, dict) else None
    return plans if isinstance(plans, list) else []


def _is_usable_teams_plan(plan: object) -> bool:
    """Return whether a service plan is Teams and set up (learn.microsoft.com/graph/api/resources/serviceplaninfo)."""
    return (
        isinstance(plan, dict)
        and str(plan.get("servicePlanId")).lower() in _TEAMS_PLANS
        and plan.get("provisioningStatus") == "Success"
    )


def read_tenant_name(access_token: str) -> str:
    """Return the tenant's display name, "" if the account may not read it. Only the dashboard shows it."""
    try:
        _status, document = get_json(f"{graph_url()}/v1.0/organization", token=access_token)
    except Unreachable:
        return ""
    rows = document.get("value")
    first = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    return clean_text(first.get("displayName"), 200)
