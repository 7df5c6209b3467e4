"""Map Graph's error responses (status, code, message) to error kinds and messages with the remedy.

Microsoft asks clients to branch on status and code, because messages may change (learn.microsoft.com/graph/errors).
Only the message tells some errors of access policies and meeting lookups apart. Those rules match it loosely, with a
fallback to the status. Rules marked "seen" rest on reports about the live service, the others on documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import ErrorScope, MatchReason, PlatformError
from integrations.teams.messages import TeamsMessage


class Area(Enum):
    """Subject of a request. The same status means different things in different areas."""

    DIRECTORY = "directory"
    # Create a meeting of an organizer.
    ORGANIZER = "organizer"
    # Read or change an existing meeting.
    MEETING = "meeting"


def area_of(path: str) -> Area:
    """Return the area of a path below the version, such as `/me/onlineMeetings/MSo1…`."""
    below = path.strip("/").partition("onlineMeetings")
    if not below[1]:
        return Area.DIRECTORY
    return Area.ORGANIZER if below[2].strip("/") in ("", "createOrGet") else Area.MEETING


def throttled_scope(path: str, throttle_scope: str) -> ErrorScope:
    """Return the meetings that wait after a 429 for `path`. `throttle_scope` is the header x-ms-throttle-scope, or "".

    Microsoft publishes a monthly limit for each organizer, but not how it refuses a request beyond the limit. It
    documents values of the header such as "Tenant_Application/ReadWrite/…", but not whether meetings send the header
    (learn.microsoft.com/graph/throttling-limits). We decided: without the header, a refusal for a named organizer
    concerns only that organizer until another one is refused.
    """
    is_named = path.strip("/").startswith("users/") and area_of(path) is not Area.DIRECTORY
    is_wider = throttle_scope.lower().startswith(("tenant", "application"))
    return ErrorScope.UNCLEAR if is_named and not is_wider else ErrorScope.CONNECTION


@dataclass(frozen=True)
class Refusal:
    """An error response. `is_graph_error` is False if the body isn't Graph's error object.

    `retry_after` is in seconds. `is_write` tells whether the request changes data.
    """

    status: int
    area: Area
    code: str = ""
    message: str = ""
    request_id: str = ""
    retry_after: float | None = None
    is_graph_error: bool = True
    is_write: bool = False
    # Meetings that wait if the status is 429.
    throttled: ErrorScope = ErrorScope.CONNECTION


@dataclass(frozen=True)
class Rule:
    """A row of the table. Empty fields match everything. `words` is a pattern for the message, ignoring case."""

    kind: ErrorKind
    message: TeamsMessage
    statuses: tuple[int, ...] = ()
    graph_code: str = ""
    words: str = ""
    area: Area | None = None
    reason: MatchReason | None = None

    def matches(self, refusal: Refusal) -> bool:
        return (
            (not self.statuses or refusal.status in self.statuses)
            and (self.area in (None, refusal.area))
            and (not self.graph_code or self.graph_code.casefold() == refusal.code.casefold())
            and (not self.words or re.search(self.words, refusal.message, re.IGNORECASE) is not None)
        )


_PERSON, _CONNECTION, _BUG = ErrorKind.PERSON, ErrorKind.CONNECTION, ErrorKind.BUG

# The first matching row wins.
RULES: Final = (
    # Accepted, but not carried out yet (learn.microsoft.com/graph/api/user-get).
    Rule(ErrorKind.UNUSABLE, TeamsMessage.UNUSABLE, (202,)),
    # A list that broke can be read again from its first page, or by smaller queries
    # (seen: msgraph-sdk-dotnet/issues/2254; the second code is from memory).
    Rule(ErrorKind.UNUSABLE, TeamsMessage.UNUSABLE, (400, 410), graph_code="Directory_ExpiredPageToken"),
    Rule(ErrorKind.UNUSABLE, TeamsMessage.UNUSABLE, (400,), graph_code="Directory_ResultSizeLimitExceeded"),
    # Wait as long as Graph requests (learn.microsoft.com/graph/throttling).
    Rule(ErrorKind.THROTTLED, TeamsMessage.THROTTLED, (429,)),
    # Seen: "No application access policy found for this app … on the user"; before 2023 "App … is not authorized to
    # Create meeting on behalf of user …" with code Unauthorized.
    Rule(
        _PERSON,
        TeamsMessage.NO_HOST_PERMISSION,
        (401, 403),
        words=r"application access policy|not authorized to .* on behalf of",
        reason=MatchReason.NO_HOST_PERMISSION,
    ),
    # Seen with personal accounts, under several statuses.
    Rule(_CONNECTION, TeamsMessage.PERSONAL_ACCOUNT, graph_code="AuthenticationError"),
    Rule(_CONNECTION, TeamsMessage.SIGN_IN_AGAIN, (401, 403), graph_code="insufficient_claims"),
    Rule(_CONNECTION, TeamsMessage.SIGN_IN_REFUSED, (401,)),
    # A permission is missing or consent was withdrawn, for all users.
    Rule(_CONNECTION, TeamsMessage.USERS_REFUSED, (403,), area=Area.DIRECTORY),
    Rule(_CONNECTION, TeamsMessage.MEETINGS_REFUSED, (403,), graph_code="Authorization_RequestDenied"),
    # Seen: "3003: User does not have access to lookup meeting", for everyone but the organizer.
    Rule(_PERSON, TeamsMessage.OTHER_ORGANIZER, (403,), words=r"\b3003\b", reason=MatchReason.REFUSED),
    # Seen: "9024: TeamsMeetingProcessorException …" for an organizer without licence.
    Rule(
        _PERSON,
        TeamsMessage.NO_LICENCE,
        (403,),
        words=r"\b9024\b|TeamsMeetingProcessorException|licen[cs]e",
        reason=MatchReason.NO_LICENCE,
    ),
    # Seen with an empty message: no licence, a guest or a policy. The response doesn't tell which.
    Rule(_PERSON, TeamsMessage.PERSON_REFUSED, (403,), reason=MatchReason.REFUSED),
    # Seen: "3004: Specified meeting is not found". With any code, createOrGet then creates the
    # meeting again, or returns it if it exists.
    Rule(ErrorKind.GONE, TeamsMessage.MEETING_GONE, (404,), words=r"\b3004\b"),
    Rule(ErrorKind.GONE, TeamsMessage.MEETING_GONE, (404, 410), area=Area.MEETING),
    Rule(
        _PERSON,
        TeamsMessage.PERSON_UNKNOWN,
        (404,),
        graph_code="Request_ResourceNotFound",
        reason=MatchReason.NOT_FOUND,
    ),
    # Seen: UnknownError with an empty message for an unknown organizer and for one without licence.
    Rule(_PERSON, TeamsMessage.PERSON_REFUSED, (404,), area=Area.ORGANIZER, reason=MatchReason.REFUSED),
    # A conflicting change or a timeout: the same request may succeed later.
    Rule(ErrorKind.OUTAGE, TeamsMessage.OUTAGE, (408, 409, 412, 423)),
    # Every other status below 500 means that the request can never succeed: 400 BadRequest, Request_UnsupportedQuery,
    # InvalidArgument, "Meeting Id is corrupted.", "1026: An error has occurred.", "/me request is only valid …".
    Rule(_BUG, TeamsMessage.BUG, tuple(range(400, 500))),
    Rule(ErrorKind.OUTAGE, TeamsMessage.OUTAGE),
)
# With these statuses, a gateway rejects the request itself. Its other errors are outages, because "not found" or
# "forbidden" from a gateway says nothing about a meeting or a person.
GATEWAY_REFUSES_REQUEST: Final = frozenset({400, 405, 411, 413, 414, 415, 431})


def error_of(refusal: Refusal) -> PlatformError:
    """Return the error of a refusal. A write is ambiguous if the server may have executed it."""
    rule = _matching_rule(refusal)
    return PlatformError(
        rule.kind,
        Message(rule.message),
        request_id=refusal.request_id,
        retry_after=refusal.retry_after,
        ambiguous=refusal.is_write and (refusal.status >= 500 or refusal.status in (202, 408)),
        reason=rule.reason,
        scope=refusal.throttled,
    )


def _matching_rule(refusal: Refusal) -> Rule:
    if not refusal.is_graph_error and refusal.status not in GATEWAY_REFUSES_REQUEST | {202, 401, 429}:
        return RULES[-1]
    return next(rule for rule in RULES if rule.matches(refusal))


def outage_error(*, request_id: str = "", ambiguous: bool = False) -> PlatformError:
    """Return the error for a missing or unusable response."""
    return PlatformError(ErrorKind.OUTAGE, Message(TeamsMessage.OUTAGE), request_id=request_id, ambiguous=ambiguous)


def unusable_error(request_id: str = "", *, ambiguous: bool = False) -> PlatformError:
    """Return the error for a successful response without the requested data. The request can be repeated."""
    return PlatformError(ErrorKind.UNUSABLE, Message(TeamsMessage.UNUSABLE), request_id=request_id, ambiguous=ambiguous)


def most_serious(errors: Iterable[PlatformError]) -> PlatformError:
    """Return the most serious of several errors. Of equal ones, return that with the longest pause."""
    return max(errors, key=lambda error: (_SERIOUSNESS.get(error.kind, len(_SERIOUSNESS)), error.retry_after or 0.0))


_SERIOUSNESS: Final = {
    ErrorKind.UNUSABLE: 0,
    ErrorKind.OUTAGE: 1,
    ErrorKind.THROTTLED: 2,
    ErrorKind.GONE: 3,
    ErrorKind.PERSON: 4,
    ErrorKind.BUG: 5,
}


def bug_error(request_id: str = "") -> PlatformError:
    """Return the error for a request that must not be sent."""
    return PlatformError(ErrorKind.BUG, Message(TeamsMessage.BUG), request_id=request_id)
