"""The interface that a video platform implements.

A platform app registers an instance with `integrations.platforms.registry.register` in `AppConfig.ready()`. Nothing
outside the app imports it.

The platform raises `PlatformError` with an `ErrorKind`; the caller decides whether and when to try again, so a
platform never retries a call. `integrations.platforms.failures.RULES` lists the consequence of each kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from integrations.messages import Message, MessageCode
from integrations.platforms.values import (
    Account,
    Attendee,
    Capacity,
    CheckStep,
    DirectoryChanges,
    DirectoryResult,
    MeetingSpec,
    PermissionResult,
    RemoteMeeting,
    Script,
)

if TYPE_CHECKING:
    from django.http import QueryDict

    from integrations.models import Connection, UserMatch
    from integrations.platforms.settings_form import SettingsForm
    from staff.addons import AddOn
    from staff.models import Organization


class Directory(Protocol):
    """The platform's users, opened for one pass over the staff of a connection."""

    @property
    def chunk_size(self) -> int:
        """Number of user names that the next `find` should get. It may change between calls."""
        ...

    @property
    def is_fully_loaded(self) -> bool:
        """Return whether all users of the platform are in memory. Another worker would have to load them again."""
        ...

    def find(self, user_names: Sequence[str]) -> Mapping[str, DirectoryResult]:
        """Look up user names, ignoring case. Makes calls.

        Returns exactly one result per name, with the names as given as keys. Raises PlatformError if any is missing:
        `IncompleteLookup` if there are results for others. The next call then needs only the missing names.
        """
        ...


class VideoPlatform(Protocol):
    """A video platform. One stateless instance serves all connections.

    Methods marked "Makes calls" raise PlatformError and nothing else, and never run inside a transaction. All other
    methods read the database at most. Sentences for people are in the active language.

    Before a method raises kind CONNECTION, the platform calls
    `integrations.connections.lifecycle.require_reauthorization` with a queryset that matches the connection only while
    the refused sign-in is the stored one.
    """

    #: Value of `Connection.platform`: at most 20 characters, never changes.
    slug: str
    #: Name of the product.
    label: str
    #: Dotted name of the URLconf with the platform's pages, under /settings/video-calls/.
    urlconf: str
    #: Add-ons that operators can switch on for an organisation.
    addons: Sequence[AddOn]
    #: The platform's term for a user name, such as "sign-in email"; used in labels and hints.
    user_name_label: str
    #: File name for downloading `grant_scripts`.
    grant_script_name: str
    #: Largest number of remote ids for one `probe_host_permission`.
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

    # --- Connection ---------------------------------------------------------------------------------
    def is_offered_to(self, organization: Organization) -> bool:
        """Return whether the organisation has the add-on. Existing meetings are synced even without it."""
        ...

    def connect_url(self) -> str:
        """Return the path of the first page of the connect wizard."""
        ...

    def reconnect_url(self, connection: Connection) -> str:
        """Return the path of the page that connects a disconnected connection again, with known values filled in."""
        ...

    def reauthorize_url(self, connection: Connection) -> str:
        """Return the path of the page that renews the sign-in of a connection."""
        ...

    def account(self, connection: Connection) -> Account:
        """Return the account that the connection was made with."""
        ...

    def refresh_account(self, connection: Connection) -> None:
        """Store the names that the account has on the platform now, and record a change as an event. Makes calls."""
        ...

    def settings_form(self, connection: Connection, data: QueryDict | None = None) -> SettingsForm | None:
        """Return the form with the connection's settings, bound to `data` if given; None if there are no settings."""
        ...

    def event_text(self, code: str, params: Mapping[str, Any]) -> str:
        """Return the sentence about an event that the platform recorded under `code`.

        `params` are the values that `SettingsForm.save` returned, or that the platform passed to `record_event`.
        """
        ...

    def forget_sign_in(self, connection: Connection) -> None:
        """Delete all secrets of the connection, so that no call in flight can store one again.

        Runs inside the transaction that disconnects.
        """
        ...

    def check(self, connection: Connection) -> Iterator[CheckStep]:
        """Try everything that hosting needs, and yield a step after each attempt. Makes calls, but raises nothing.

        Changes nothing on the platform. After a failed step, the remaining steps have the outcome NOT_TRIED. A warning
        stops nothing. Failures are recorded on the connection like those of any other call.
        """
        ...

    # --- Matching -----------------------------------------------------------------------------------
    def open_directory(self, connection: Connection, expected: int) -> Directory:
        """Prepare to look up about `expected` user names with as few requests as possible. Makes calls."""
        ...

    def changes_since(self, connection: Connection, sync_token: str) -> DirectoryChanges | None:
        """Return the changes in the platform's directory since `sync_token`. Makes calls.

        An empty token starts a new feed. Returns None if the granted permissions don't allow the query.
        """
        ...

    def remedy(self, connection: Connection, match: UserMatch) -> str:
        """Return one or two sentences about what an admin can do for an unmatched or forbidden person, or ""."""
        ...

    def needs_host_permission(self, connection: Connection) -> bool:
        """Return whether hosting needs a permission that can differ between people."""
        ...

    def probe_host_permission(
        self, connection: Connection, remote_ids: Sequence[str]
    ) -> Mapping[str, PermissionResult]:
        """Find out without side effects whether we may host meetings as these users. Makes calls.

        Takes at most `probe_size` remote ids and returns a result for each. Raises PlatformError if there is no result
        for any of them.
        """
        ...

    def grant_scripts(self, connection: Connection, remote_ids: Sequence[str]) -> Sequence[Script]:
        """Return scripts with which an administrator of the platform grants host permission for these users.

        They run one after the other. Only called if `needs_host_permission`. Leave out values that aren't valid ids:
        the scripts run with administrator rights.
        """
        ...

    # --- Meetings -----------------------------------------------------------------------------------
    def organizer_id(self, connection: Connection, match: UserMatch) -> str:
        """Return the remote id of the user that organizes this person's meetings."""
        ...

    def attendees(self, connection: Connection, match: UserMatch) -> tuple[Attendee, ...]:
        """Return the participants other than the organizer when this person hosts."""
        ...

    def hosts_as_staff(self, connection: Connection) -> bool:
        """Return whether staff members organize their own meetings, instead of one account for all."""
        ...

    def capacity_remedy(self, connection: Connection) -> str:
        """Return a sentence about what an admin can do if an organizer has nearly reached `capacity`."""
        ...

    def create_meeting(self, connection: Connection, spec: MeetingSpec, *, may_exist: bool) -> RemoteMeeting:
        """Create the meeting, or return the one with this key unchanged. Idempotent. Makes calls.

        `may_exist` is false only for the first attempt ever. A platform that doesn't know our key must otherwise
        search first. If it finds several meetings with the key, it keeps one and deletes the others.
        """
        ...

    def find_meeting(self, connection: Connection, spec: MeetingSpec) -> RemoteMeeting | None:
        """Return the meeting with this key, so that it can be deleted, or None if there is none that can be deleted.

        A platform that can find a meeting only by creating it with the same key may do so. Makes calls.
        """
        ...

    def update_meeting(self, connection: Connection, remote_id: str, spec: MeetingSpec) -> Message:
        """Make the meeting equal to `spec`, including the full list of attendees. Makes calls.

        Returns an empty message, or a warning if the platform applied everything except options. Raises kind GONE if
        the meeting doesn't exist.
        """
        ...

    def read_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> RemoteMeeting:
        """Return the meeting as it is on the platform. Makes calls. Raises kind GONE if it doesn't exist."""
        ...

    def delete_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> None:
        """Delete the meeting. Makes calls. Deleting a meeting that doesn't exist succeeds."""
        ...
