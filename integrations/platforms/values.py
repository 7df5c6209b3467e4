"""Values that travel between the product and a video platform. Imports only messages and failures of the app."""

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
    """Reasons why a staff member isn't matched. The platform adds a sentence with the remedy."""

    FIELD_EMPTY = "field_empty"
    NOT_FOUND = "not_found"
    ALIAS = "alias"
    PENDING = "pending"
    DISABLED = "disabled"
    GUEST = "guest"
    NO_LICENCE = "no_licence"
    NO_HOST_PERMISSION = "no_host_permission"
    REFUSED = "refused"

    @classmethod
    def forbidding(cls) -> list[str]:
        """Reasons under which a person was found but may not host."""
        return [cls.DISABLED, cls.GUEST, cls.NO_LICENCE, cls.NO_HOST_PERMISSION, cls.REFUSED]


class ErrorScope(StrEnum):
    """Meetings that a failure concerns: all of the connection, or only those of one organizer."""

    CONNECTION = "connection"
    HOST = "host"


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
    seconds. `ambiguous` means that a write may have been carried out although no answer arrived. `scope` HOST pauses
    only the meetings of the same organizer.
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
        # For `ErrorKind.PERSON`: what to record on the person's match, if anything.
        self.reason = reason

    def __str__(self) -> str:
        return str(self.message)


@dataclass(frozen=True)
class Attendee:
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
    """What the directory knows about one user name. Without `remote_id` nobody was found.

    `reason` is None for a clean match; `hint` is the fact that the remedy needs (such as the name an alias belongs to).
    """

    remote_id: str = ""
    user_name: str = ""
    name: str = ""
    reason: MatchReason | None = None
    hint: str = ""


@dataclass(frozen=True)
class Changes:
    """Who changed, is new or left in the platform's directory since a mark.

    `mark` is for the next time; only the platform understands it. `user_names` are in lower case. Without
    `is_complete` it is not known who changed, such as the first time: it may be anybody.
    """

    mark: str
    remote_ids: frozenset[str] = frozenset()
    user_names: frozenset[str] = frozenset()
    is_complete: bool = True

    def concern(self, user_name: str, remote_id: str) -> bool:
        """Whether the user that this name leads to may be another one, or be different, since the mark."""
        return not self.is_complete or remote_id in self.remote_ids or user_name.casefold() in self.user_names


class PermissionState(StrEnum):
    """What the platform said when it was asked whether a meeting may be hosted as somebody."""

    GRANTED = "granted"
    DENIED = "denied"
    GONE = "gone"  # there is no such remote user any more
    UNCLEAR = "unclear"  # no answer to the question: what was known before stands


@dataclass(frozen=True)
class PermissionResult:
    """Whether meetings may be hosted as one remote user.

    `pause` in seconds, for an unclear answer: the platform asks everybody to wait for so long.
    """

    state: PermissionState
    pause: float = 0.0


@dataclass(frozen=True)
class Account:
    """The account a connection was made with, for the top of its dashboard. `facts` are (label, value) pairs."""

    name: str
    user_name: str
    facts: tuple[tuple[str, str], ...] = ()


class StepOutcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True)
class CheckStep:
    """One step of Check connection. `message` says what was found, or what failed with the remedy."""

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
