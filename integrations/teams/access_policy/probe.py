"""Whether an Application Access Policy lets Coconut make meetings as somebody, found out without making one.

Coconut looks for a meeting that cannot exist, among the meetings of the person. Microsoft checks the policy before it
looks, so that "not found" means that it was allowed to look (seen: learn.microsoft.com/answers 2084475).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from django.conf import settings

from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PermissionResult, PermissionState
from integrations.teams.access_policy.powershell import is_guid
from integrations.teams.graph.client import BATCH_SIZE, Get, GraphClient
from integrations.teams.graph.errors import Refusal, error_of

PROBE_SIZE: Final = BATCH_SIZE
# Where a 429 does not say how long.
_PAUSE_SECONDS: Final = 30.0
# Where the links of a cloud's meetings lead. The two of the US government are from memory, not from a document.
_LINK_HOSTS: Final[Mapping[str, str]] = {
    "global": "teams.microsoft.com",
    "gcc_high": "gov.teams.microsoft.us",
    "dod": "dod.teams.microsoft.us",
}


def probe(connection: Connection, oids: Sequence[str]) -> dict[str, PermissionResult]:
    """One answer for each of at most twenty object ids, by one request. Raises PlatformError."""
    answers = dict.fromkeys(oids, PermissionResult(PermissionState.UNCLEAR))
    askable = [oid for oid in answers if is_guid(oid)]
    if askable:
        gets = [_question(connection.teams.tenant_id, oid) for oid in askable]
        outcomes = GraphClient(connection).outcomes(gets)
        answers |= {oid: _answer(outcome) for oid, outcome in zip(askable, outcomes, strict=True)}
    return answers


def _question(tenant_id: UUID, oid: str) -> Get:
    return f"/users/{UUID(oid)}/onlineMeetings", {
        "$filter": f"JoinWebUrl eq '{link_of_nobody(tenant_id, UUID(oid))}'"
    }


def link_of_nobody(tenant_id: UUID, oid: UUID) -> str:
    """A well-formed link of a meeting that nobody made: any other is refused before the policy is looked at.

    Tenant and organizer are those who are asked about, because a link of somebody else's gets "3003 … does not have
    access" whatever the policy says (seen: microsoft-graph-docs/issues/17234).
    """
    thread = f"19%3ameeting_{uuid.uuid4().hex}%40thread.v2"
    context = f"%7b%22Tid%22%3a%22{tenant_id}%22%2c%22Oid%22%3a%22{oid}%22%7d"
    return f"https://{_LINK_HOSTS[settings.MICROSOFT_CLOUD]}/l/meetup-join/{thread}/0?context={context}"


def _answer(outcome: object) -> PermissionResult:
    """What an answer means.

    That the lookup answers the question at all is an inference from what people report, not documented; this function
    is the only place that rests on it. Least certain is 403 "3003: User does not have access to lookup meeting": seen
    for somebody who is covered when the link is another organizer's, which ours is not, and seen for people whom a
    policy leaves out. So it counts as forbidden, which is asked again like every other "no".
    """
    if not isinstance(outcome, Refusal):
        return PermissionResult(PermissionState.GRANTED)
    error = error_of(outcome)
    if error.kind == ErrorKind.GONE:
        # "3004: Specified meeting is not found": Graph was allowed to look. It answers 200 and no rows as well.
        return PermissionResult(PermissionState.GRANTED)
    if error.kind == ErrorKind.THROTTLED:
        return PermissionResult(PermissionState.UNCLEAR, pause=error.retry_after or _PAUSE_SECONDS)
    if error.kind == ErrorKind.PERSON:
        # 404 Request_ResourceNotFound, or UnknownError, which is for user names in the path otherwise.
        return PermissionResult(PermissionState.GONE if outcome.status == 404 else PermissionState.DENIED)
    # 400, such as "1026: An error has occurred.", comes before the policy is looked at; 5xx says nothing either.
    return PermissionResult(PermissionState.UNCLEAR)
