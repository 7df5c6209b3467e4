"""Probe whether an Application Access Policy lets Coconut host meetings as a user, without creating one.

The probe queries a nonexistent meeting of the user. Microsoft checks the policy first, so "not found" means that the
policy allows it (seen: learn.microsoft.com/answers 2084475).
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
# Used if a 429 has no Retry-After.
_PAUSE_SECONDS: Final = 30.0
# Hosts of each cloud's join links. The two of the US government are from memory, not from documentation.
_LINK_HOSTS: Final[Mapping[str, str]] = {
    "global": "teams.microsoft.com",
    "gcc_high": "gov.teams.microsoft.us",
    "dod": "dod.teams.microsoft.us",
}


def probe(connection: Connection, oids: Sequence[str]) -> dict[str, PermissionResult]:
    """Probe at most twenty object ids in one request. Return a result for each. Raises PlatformError."""
    results = dict.fromkeys(oids, PermissionResult(PermissionState.UNCLEAR))
    object_ids = [oid for oid in results if is_guid(oid)]
    if object_ids:
        gets = [_probe_request(connection.teams.tenant_id, oid) for oid in object_ids]
        outcomes = GraphClient(connection).batch_results(gets)
        results |= {oid: _permission_result(outcome) for oid, outcome in zip(object_ids, outcomes, strict=True)}
    return results


def _probe_request(tenant_id: UUID, oid: str) -> Get:
    return f"/users/{UUID(oid)}/onlineMeetings", {
        "$filter": f"JoinWebUrl eq '{nonexistent_meeting_url(tenant_id, UUID(oid))}'"
    }


def nonexistent_meeting_url(tenant_id: UUID, oid: UUID) -> str:
    """Return a well-formed join URL of a nonexistent meeting. Microsoft refuses malformed ones before the policy check.

    The URL names the probed tenant and organizer. A URL of another organizer gets "3003 … does not have access" under
    any policy (seen: microsoft-graph-docs/issues/17234).
    """
    thread = f"19%3ameeting_{uuid.uuid4().hex}%40thread.v2"
    context = f"%7b%22Tid%22%3a%22{tenant_id}%22%2c%22Oid%22%3a%22{oid}%22%7d"
    return f"https://{_LINK_HOSTS[settings.MICROSOFT_CLOUD]}/l/meetup-join/{thread}/0?context={context}"


def _permission_result(outcome: object) -> PermissionResult:
    """Return the result of one probe.

    Microsoft doesn't document that the query reveals the policy; this function alone rests on that inference from
    reports. Least certain is 403 "3003: User does not have access to lookup meeting". It was seen for users with a
    policy if the URL is another organizer's, which ours isn't, and for users without a policy. It counts as denied,
    which is probed again.
    """
    if not isinstance(outcome, Refusal):
        is_list = isinstance(outcome, dict) and isinstance(outcome.get("value"), list)
        return PermissionResult(PermissionState.GRANTED if is_list else PermissionState.UNCLEAR)
    error = error_of(outcome)
    if error.kind == ErrorKind.GONE:
        # "3004: Specified meeting is not found": the query was allowed. Graph may also return 200 and no rows.
        return PermissionResult(PermissionState.GRANTED)
    if error.kind == ErrorKind.THROTTLED:
        return PermissionResult(PermissionState.UNCLEAR, error.retry_after or _PAUSE_SECONDS, error.scope)
    if error.kind == ErrorKind.PERSON:
        # 404 Request_ResourceNotFound, or UnknownError, which otherwise means a user name in the path.
        return PermissionResult(PermissionState.GONE if outcome.status == 404 else PermissionState.DENIED)
    # 400, such as "1026: An error has occurred.", precedes the policy check. 5xx says nothing about it either.
    return PermissionResult(PermissionState.UNCLEAR)
