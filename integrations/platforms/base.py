"""What a video platform must offer, the values that travel to and from it, and the registry of platforms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from integrations.platforms.failures import ErrorKind as ErrorKind

if TYPE_CHECKING:
    from django.http import QueryDict

    from integrations.connections.forms import SettingsForm
    from integrations.models import Connection, UserMatch
    from staff.models import Organization


class MatchReason(StrEnum):
    """Why a person is not matched. The platform's own sentence goes with it."""

    FIELD_EMPTY = "field_empty"
    NOT_FOUND = "not_found"
    ALIAS = "alias"
    DISABLED = "disabled"
    GUEST = "guest"
    NO_LICENCE = "no_licence"
    NO_POLICY = "no_policy"
    REFUSED = "refused"

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        return [(reason.value, reason.value) for reason in cls]

    @classmethod
    def forbidding(cls) -> list[str]:
        """Reasons under which a person was found but may not host."""
        return [cls.DISABLED, cls.GUEST, cls.NO_LICENCE, cls.NO_POLICY, cls.REFUSED]


class PlatformError(Exception):
    """A call to the platform failed.

    `sentence` is for people and says the remedy; `request_id` is the platform's, for support. `retry_after` is in
    seconds. `ambiguous` means that a write may have been carried out although no answer arrived.
    """

    def __init__(
        self,
        kind: ErrorKind,
        sentence: str,
        *,
        request_id: str = "",
        retry_after: float | None = None,
        ambiguous: bool = False,
        reason: MatchReason | None = None,
    ) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence
        self.request_id = request_id
        self.retry_after = retry_after
        self.ambiguous = ambiguous
        # For `ErrorKind.PERSON`: what to record on the person's match, if anything.
        self.reason = reason


@dataclass(frozen=True)
class Attendee:
    remote_id: str
    upn: str
    role: str = "coorganizer"


@dataclass(frozen=True)
class MeetingSpec:
    """The whole wanted state of a remote meeting. `key` is stable over its life; times are aware."""

    key: UUID
    organizer_id: str
    subject: str
    starts_at: datetime
    ends_at: datetime
    attendees: tuple[Attendee, ...] = ()


@dataclass(frozen=True)
class RemoteMeeting:
    """What the platform says about a meeting. `attendee_ids` are remote ids, order without meaning."""

    remote_id: str
    join_url: str
    subject: str
    starts_at: datetime | None
    ends_at: datetime | None
    attendee_ids: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class DirectoryAnswer:
    """What the directory knows about one user name. Without `remote_id` nobody was found.

    `reason` is None for a clean match; `hint` is the fact that the remedy needs (such as the name an alias belongs to).
    """

    remote_id: str = ""
    upn: str = ""
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


class Verdict(StrEnum):
    """What the platform said when it was asked whether a meeting may be hosted as somebody."""

    COVERED = "covered"
    FORBIDDEN = "forbidden"
    GONE = "gone"  # there is no such remote user any more
    UNCLEAR = "unclear"  # no answer to the question: what was known before stands


@dataclass(frozen=True)
class CoverageAnswer:
    """Whether meetings may be hosted as one remote user.

    `pause` in seconds, for an unclear answer: the platform asks everybody to wait for so long.
    """

    verdict: Verdict
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
    """One step of Check connection. `sentence` says what was found, or what failed with the remedy."""

    name: str
    outcome: StepOutcome
    sentence: str = ""
    request_id: str = ""


class Directory(Protocol):
    """The platform's users, open for one pass over the staff."""

    @property
    def chunk_size(self) -> int:
        """How many user names the next `find` should be given."""
        ...

    @property
    def holds_everybody(self) -> bool:
        """Whether everybody has been read, so that whoever opened it anew would have to read everybody again."""
        ...

    def find(self, user_names: Sequence[str]) -> Mapping[str, DirectoryAnswer]:
        """Look up user names (as typed); the answer has exactly one entry for each. Raises PlatformError."""
        ...


class VideoPlatform(Protocol):
    """One video platform. Every method that calls out raises PlatformError and nothing else.

    Before it raises kind CONNECTION it has called `connections.require_reauthorization`, for only the platform can tell
    whether the sign-in that was refused is still the present one.
    """

    slug: str
    label: str
    #: What the platform calls a user name, such as "UPN"; used in labels and hints.
    user_name_label: str
    #: What the file with a `grant_script` is called.
    grant_script_name: str
    #: How many people one `probe_coverage` may be given.
    probe_size: int
    #: How many meetings one organizer may have in a calendar month, as the platform publishes; None: nothing is known.
    most_meetings_a_month: int | None

    def is_offered_to(self, organization: Organization) -> bool:
        """Whether the organisation has the add-on. Existing meetings are looked after either way."""
        ...

    def connect_url(self) -> str:
        """The first page of the platform's connect wizard."""
        ...

    def reconnect_url(self, connection: Connection) -> str:
        """Where a disconnected connection is connected again, with what is known of it filled in."""
        ...

    def reauthorize_url(self, connection: Connection) -> str:
        """The page that renews the sign-in of a connection."""
        ...

    def account(self, connection: Connection) -> Account:
        """The account the connection was made with. No call."""
        ...

    def settings_form(self, connection: Connection, data: QueryDict | None = None) -> SettingsForm | None:
        """What an admin may choose for the connection, filled in; None where there is nothing to choose. No call."""
        ...

    def forget_sign_in(self, connection: Connection) -> None:
        """Forget every secret of the connection, so that nothing that is under way brings one back.

        No call, for it happens in the transaction that disconnects.
        """
        ...

    def remedy(self, connection: Connection, match: UserMatch) -> str:
        """What an admin can do about somebody who is not matched: one or two sentences. No call."""
        ...

    def organizer_id(self, connection: Connection, match: UserMatch) -> str:
        """The remote object that meetings hosted by this person are created under. No call."""
        ...

    def attendees(self, connection: Connection, match: UserMatch) -> tuple[Attendee, ...]:
        """Who takes part beside the organizer when this person hosts. No call."""
        ...

    def coverage_needed(self, connection: Connection) -> bool:
        """Whether hosting needs a permission that differs from person to person. No call."""
        ...

    def grant_script(self, connection: Connection, remote_ids: Sequence[str]) -> str:
        """What an administrator of the platform runs so that meetings may be hosted as these users. No call.

        Only where `coverage_needed`. What is no id of the platform's must not get into it.
        """
        ...

    def probe_coverage(
        self, connection: Connection, remote_ids: Sequence[str]
    ) -> Mapping[str, CoverageAnswer]:
        """Ask, without any effect, whether meetings may be hosted as these users: an answer for each.

        At most `probe_size` of them. Raises PlatformError where nothing was learnt about anybody.
        """
        ...

    def open_directory(self, connection: Connection, expected: int) -> Directory:
        """Prepare to look up about `expected` people, by whichever way needs the fewest requests."""
        ...

    def changes_since(self, connection: Connection, mark: str) -> Changes | None:
        """Who changed in the directory since `mark`; "" begins to watch. None: the permissions do not let us ask."""
        ...

    def capacity_remedy(self, connection: Connection) -> str:
        """What an admin can do where an organizer has nearly `most_meetings_a_month`. No call."""
        ...

    def check(self, connection: Connection) -> Iterator[CheckStep]:
        """Try everything that hosting needs, one step after the other, and change nothing at the platform.

        After a step that failed the others are named as not tried. What a failure means for the connection is
        recorded as by any other call. Raises nothing.
        """
        ...

    def create_meeting(self, connection: Connection, spec: MeetingSpec) -> RemoteMeeting:
        """Create the meeting, or find the one with this key. Idempotent; options of an existing one are left alone."""
        ...

    def update_meeting(self, connection: Connection, remote_id: str, spec: MeetingSpec) -> str:
        """Make the meeting look like the spec; returns a warning sentence or "". Raises kind GONE when it vanished."""
        ...

    def read_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> RemoteMeeting:
        """Read the meeting. Raises kind GONE when it vanished."""
        ...

    def delete_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> None:
        """Delete the meeting; one that is gone already counts as deleted."""
        ...


_platforms: dict[str, VideoPlatform] = {}


def register(platform: VideoPlatform) -> None:
    """Called by a platform's `AppConfig.ready()`."""
    _platforms[platform.slug] = platform


def platform_of(connection: Connection) -> VideoPlatform:
    """Return the platform that a connection belongs to. KeyError: the platform's app is not installed."""
    return _platforms[connection.platform]


def all_platforms() -> list[VideoPlatform]:
    """Every platform that is installed, by label."""
    return sorted(_platforms.values(), key=lambda platform: platform.label)
