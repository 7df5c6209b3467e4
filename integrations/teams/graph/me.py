"""Read profile and tenant of an account that has just signed in, before a connection exists."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.http import Unreachable, clean_text, get_json, graph_url
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
        message = Message(TeamsMessage.GRAPH_UNREACHABLE)
        raise PlatformError(ErrorKind.OUTAGE, message, request_id=error.request_id) from error
    if status != 200 or not document.get("id"):
        raise PlatformError(ErrorKind.CONNECTION, Message(TeamsMessage.PROFILE_REFUSED))
    return AccountProfile(
        str(document["id"]),
        clean_text(document.get("userPrincipalName"), 320),
        clean_text(document.get("displayName"), 300),
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
