"""Read profile and tenant of an account that has just signed in, before a connection exists."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.http import Unreachable, get_json, graph_url
from integrations.teams.messages import TeamsMessage


@dataclass(frozen=True)
class AccountProfile:
    """Profile of the signed-in account."""

    oid: str
    upn: str
    name: str


def read_account(access_token: str) -> AccountProfile:
    """Read `/me`. Raises PlatformError: OUTAGE without a response, CONNECTION if Graph refuses the token."""
    try:
        status, document = get_json(
            f"{graph_url()}/v1.0/me?$select=id,displayName,userPrincipalName", token=access_token
        )
    except Unreachable as error:
        raise PlatformError(ErrorKind.OUTAGE, Message(TeamsMessage.GRAPH_UNREACHABLE)) from error
    if status != 200 or not document.get("id"):
        raise PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.PROFILE_REFUSED))
    return AccountProfile(
        str(document["id"]),
        str(document.get("userPrincipalName") or ""),
        str(document.get("displayName") or ""),
    )


def read_tenant_name(access_token: str) -> str:
    """Return the tenant's display name, "" if the account may not read it. Only the dashboard shows it."""
    try:
        _status, document = get_json(f"{graph_url()}/v1.0/organization", token=access_token)
    except Unreachable:
        return ""
    rows = document.get("value")
    first = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    return str(first.get("displayName") or "")
