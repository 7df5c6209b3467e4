"""Values that the product and a video platform exchange. Imports only messages and failures of the app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import models

from integrations.messages import Message
from integrations.platforms.failures import ErrorKind


class MatchReason(models.TextChoices):
    """Reasons why a staff member isn't matched. `VideoPlatform.remedy` has the sentence for each."""

    FIELD_EMPTY = "field_empty"
    NOT_FOUND = "not_found"
    ALIAS = "alias"
    PENDING = "pending"
    DISABLED = "disabled"
    GUEST = "guest"
    NO_LICENCE = "no_licence"
    NO_HOST_PERMISSION = "no_host_permission"
    REFUSED = "refused"
    # The platform refuses to search for this user name, but not for others.
    LOOKUP_REFUSED = "lookup_refused"

    @classmethod
    def forbidding(cls) -> list[str]:
        """Return the reasons that mean: the person was found but may not host."""
        return [cls.DISABLED, cls.GUEST, cls.NO_LICENCE, cls.NO_HOST_PERMISSION, cls.REFUSED]


class ErrorScope(StrEnum):
    """Meetings that a failure concerns: all of the connection, or only those of one organizer.

    UNCLEAR: the platform doesn't say. The organizer's meetings wait alone until a second organizer is refused.
    """

    CONNECTION = "connection"
    HOST = "host"
    UNCLEAR = "unclear"


class CapacityWindow(StrEnum):
    """Period that a platform counts by. Each begins at 00:00 UTC."""

    MONTH = "month"
    DAY = "day"


@dataclass(frozen=True)
class Capacity:
    """Published limit: at most `meetings` of one organizer may be created, changed or read in one window."""

    meetings: int
    window: CapacityWindow

    def percent_of(self, used: int) -> int:
        """Return the used share of the limit, rounded down."""
        return used * 100 // self.meetings


class PlatformError(Exception):
    """A call to the platform failed.

    `message` is for people and says the remedy. `request_id` is the platform's, for support. `retry_after` is in
    seconds. `ambiguous` means that a write may have been carried out although no usable answer arrived. `scope` says
    which meetings wait if the platform throttles.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: Message,
        *,
        request_id: str = "",
        retry_after: float | None = None,
        ambiguous: bool = False,
        reason: MatchReason | None = None,
        scope: ErrorScope = ErrorScope.CONNECTION,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.request_id = request_id
        self.retry_after = retry_after
        self.ambiguous = ambiguous
        self.scope = scope
        self.reason = reason

    def __str__(self) -> str:
        return str(self.message)


@dataclass(frozen=True)
class Attendee:
    """A participant of a meeting other than its organizer. `role` is stored and passed to the platform."""

    """A participant of a meeting other than its organizer. `role` is stored and passed to the platform."""

    remote_id: str
    user_name: str
    role: str = "coorganizer"


@dataclass(frozen=True)
class MeetingSpec:
    """Whole desired state of a remote meeting. `key` never changes; times are aware."""

    key: UUID
    organizer_id: str
    subject: str
    starts_at: datetime
    ends_at: datetime
    attendees: tuple[Attendee, ...] = ()


@dataclass(frozen=True)
class RemoteMeeting:
    """A meeting as the platform returns it. `attendee_ids` are remote ids.

    `is_as_specified` is true if the platform has just created it with the whole desired state.
    """

    remote_id: str
    join_url: str
    subject: str
    starts_at: datetime | None
    ends_at: datetime | None
    attendee_ids: frozenset[str] = field(default_factory=frozenset)
    is_as_specified: bool = False


@dataclass(frozen=True)
class DirectoryResult:
    """Result of looking up one user name.

    - `remote_id`: the user's id on the platform; "" if no user was found
    - `user_name`, `name`: as the platform spells them
    - `reason`: None if the user can host
    - `hint`: a value that the remedy needs, such as the user name behind an alias
    """

    remote_id: str = ""
    user_name: str = ""
    name: str = ""
    reason: MatchReason | None = None
    hint: str = ""


class IncompleteLookup(PlatformError):
    """The lookup failed for some of the user names. `results` has those of the others, by user name."""

    def __init__(self, cause: PlatformError, results: Mapping[str, DirectoryResult]) -> None:
        super().__init__(
            cause.kind, cause.message, request_id=cause.request_id, retry_after=cause.retry_after, scope=cause.scope
        )
        self.results = results


@dataclass(frozen=True)
class DirectoryChanges:
    """Users that were added, changed or removed in the platform's directory since a sync token.

    - `sync_token`: opaque position in the change feed, for the next query
    - `remote_ids`, `user_names`: the affected users; user names are in lower case
    - `is_complete`: False if any user may have changed, such as the first time
    """

    sync_token: str
    remote_ids: frozenset[str] = frozenset()
    user_names: frozenset[str] = frozenset()
    is_complete: bool = True

    def concern(self, user_name: str, remote_id: str) -> bool:
        """Return whether the name may lead to another user, or to a changed one."""
        return not self.is_complete or remote_id in self.remote_ids or user_name.casefold() in self.user_names


class PermissionState(StrEnum):
    """Result of a host permission probe."""

    GRANTED = "granted"
    DENIED = "denied"
    GONE = "gone"  # the remote user doesn't exist any more
    UNCLEAR = "unclear"  # no answer: the previous state stays


@dataclass(frozen=True)
class PermissionResult:
    """Answer about the host permission of one remote user.

    `pause`, with an unclear state, is the time in seconds that the platform wants callers to wait. `scope` says which.
    """

    state: PermissionState
    pause: float = 0.0
    scope: ErrorScope = ErrorScope.CONNECTION


@dataclass(frozen=True)
class Account:
    """The account that a connection was made with, as shown on its dashboard. `facts` are (label, value) pairs."""

    name: str
    user_name: str
    facts: tuple[tuple[str, str], ...] = ()


class StepOutcome(StrEnum):
    """Outcome of a step of Check connection."""

    OK = "ok"
    WARNING = "warning"  # it may not work; the later steps are tried
    FAILED = "failed"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True)
class Script:
    """A script for an administrator of the platform. `label` is a verb, such as "Create"."""

    label: str
    code: str


@dataclass(frozen=True)
class CheckStep:
    """Step of Check connection. `message` has the finding, or the warning or failure with its remedy."""

    name: Message
    outcome: StepOutcome
    message: Message = field(default_factory=Message)
    request_id: str = ""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> CheckStep:
        """Return the step of `as_json`."""
        return cls(
            Message.from_json(stored["name"]),
            StepOutcome(stored["outcome"]),
            Message.from_json(stored["message"]),
            stored["request_id"],
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name.as_json(),
            "outcome": self.outcome,
            "message": self.message.as_json(),
            "request_id": self.request_id,
        }
