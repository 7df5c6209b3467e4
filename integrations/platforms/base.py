"""The interface that a video platform implements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from integrations.messages import Message, MessageCode
from integrations.platforms.values import (
    Account,
    Attendee,
    Capacity,
    Changes,
    CheckStep,
    DirectoryResult,
    MeetingSpec,
    PermissionResult,
    RemoteMeeting,
)

if TYPE_CHECKING:
    from django.http import QueryDict

    from integrations.models import Connection, UserMatch
    from integrations.platforms.settings_form import SettingsForm
    from staff.addons import AddOn
    from staff.models import Organization


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

    def find(self, user_names: Sequence[str]) -> Mapping[str, DirectoryResult]:
        """Look up user names (as typed); the answer has exactly one entry for each. Raises PlatformError."""
        ...


class VideoPlatform(Protocol):
    """One video platform. Every method that calls out raises PlatformError and nothing else.

    Before it raises kind CONNECTION it has called `connections.require_reauthorization`, for only the platform can tell
    whether the sign-in that was refused is still the present one.
    """

    slug: str
    label: str
    #: Dotted name of the URLconf with the platform's pages, under /settings/video-calls/.
    urlconf: str
    #: Add-ons that operators can switch on for an organisation.
    addons: Sequence[AddOn]
    #: The platform's term for a user name, such as "sign-in email"; used in labels and hints.
    user_name_label: str
    #: What the file with a `grant_script` is called.
    grant_script_name: str
    #: How many people one `probe_host_permission` may be given.
    probe_size: int
    #: The limit for one organizer that the platform publishes, or None.
    capacity: Capacity | None
    #: Whether the platform itself finds the meeting with our key when creating is repeated, even if the earlier create
    #: is still on its way. Otherwise a repeated create waits until the earlier one has landed.
    creates_by_key: bool

    @property
    def messages(self) -> type[MessageCode]:
        """Messages of the platform's errors, warnings and checks."""
        ...

    @property
    def host_permission_label(self) -> str:
        """Name of the permission to host as a person, such as "access policy"; used in labels."""
        ...

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

    def event_text(self, code: str, params: Mapping[str, Any]) -> str:
        """Render an event that the platform recorded under `code`, in the active language. No call."""
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

    def needs_host_permission(self, connection: Connection) -> bool:
        """Whether hosting needs a permission that differs from person to person. No call."""
        ...

    def hosts_as_staff(self, connection: Connection) -> bool:
        """Whether staff members organize their own meetings, instead of one account for all. No call."""
        ...

    def grant_script(self, connection: Connection, remote_ids: Sequence[str]) -> str:
        """What an administrator of the platform runs so that meetings may be hosted as these users. No call.

        Only where `needs_host_permission`. What is no id of the platform's must not get into it.
        """
        ...

    def probe_host_permission(
        self, connection: Connection, remote_ids: Sequence[str]
    ) -> Mapping[str, PermissionResult]:
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
        """What an admin can do if an organizer has nearly reached `capacity`. No call."""
        ...

    def check(self, connection: Connection) -> Iterator[CheckStep]:
        """Try everything that hosting needs, one step after the other, and change nothing at the platform.

        After a step that failed the others are named as not tried. What a failure means for the connection is
        recorded as by any other call. Raises nothing.
        """
        ...

    def create_meeting(self, connection: Connection, spec: MeetingSpec, *, may_exist: bool) -> RemoteMeeting:
        """Create the meeting, or return the one with this key unchanged. Idempotent.

        `may_exist` is false only for the first attempt ever. A platform that doesn't know our key must otherwise
        search first. If it finds several meetings with the key, it keeps one and deletes the others.
        """
        ...

    def find_meeting(self, connection: Connection, spec: MeetingSpec) -> RemoteMeeting | None:
        """Return the meeting with this key, so that it can be deleted, or None if an earlier create made none.

        A platform that can find a meeting only by creating it with the same key may do so.
        """
        ...

    def update_meeting(self, connection: Connection, remote_id: str, spec: MeetingSpec) -> Message:
        """Make the meeting look like the spec, and return a warning or an empty message.

        Raises kind GONE when it vanished.
        """
        ...

    def read_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> RemoteMeeting:
        """Read the meeting. Raises kind GONE when it vanished."""
        ...

    def delete_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> None:
        """Delete the meeting; one that is gone already counts as deleted."""
        ...
