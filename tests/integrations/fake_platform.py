"""Video platforms in memory, for tests of the neutral code.

Both fakes keep the contract of `integrations.platforms.base.VideoPlatform`: creating is idempotent, a deleted meeting
answers GONE, and every queried name gets a result. They fail on request, count their calls, and refuse to be called
inside a transaction.

- `FakePlatform` knows our key, as Microsoft Teams does.
- `KeylessFakePlatform` doesn't, as Zoom: a repeated create makes a second meeting, so it must search first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, TypeVar

from django import forms
from django.db import connection as database
from django.http import QueryDict

from integrations.connections.lifecycle import require_reauthorization
from integrations.messages import Message, MessageCode
from integrations.models import Connection, UserMatch
from integrations.platforms.failures import ErrorKind
from integrations.platforms.settings_form import SettingsForm
from integrations.platforms.values import (
    Account,
    Attendee,
    Capacity,
    CapacityWindow,
    CheckStep,
    DirectoryChanges,
    DirectoryResult,
    ErrorScope,
    MatchReason,
    MeetingSpec,
    PermissionResult,
    PermissionState,
    PlatformError,
    RemoteMeeting,
    Script,
    StepOutcome,
)
from staff.addons import AddOn
from staff.models import Organization
from tests.messages import ExampleMessage, message

T = TypeVar("T")

SERVICE_ACCOUNT = "oid-of-the-service-account"


def outage() -> PlatformError:
    return PlatformError(ErrorKind.OUTAGE, message("The fake platform cannot be reached."))


def throttled(seconds: float = 30, scope: ErrorScope = ErrorScope.CONNECTION) -> PlatformError:
    return PlatformError(ErrorKind.THROTTLED, message("The fake platform is busy."), retry_after=seconds, scope=scope)


def refused() -> PlatformError:
    return PlatformError(ErrorKind.CONNECTION, message("The fake platform no longer accepts the sign-in."))


def gone() -> PlatformError:
    return PlatformError(ErrorKind.GONE, message("The meeting does not exist."))


def _depth_of_transaction() -> int:
    return len(database.savepoint_ids) + int(database.in_atomic_block)


class FakePlatform:
    """A platform in memory. Tests set and read these attributes:

    - `people`: user name in lower case -> result; `chunk_size` and `is_fully_loaded` of its directory
    - `account_id`: remote id of the account that organizes all meetings
    - `addon`: whether the platform is offered; `warning`: the return value of `update_meeting`
    - `check_warnings`: step of `check` -> its warning
    - `needs_host_permission`, `host_permission`: remote id -> result (granted if missing)
    - `changes`: the return value of `changes_since`; `sync_tokens`: the arguments of its calls
    - `meetings`: remote id -> meeting; `organizers`: remote id -> organizer id; `keys`: remote id -> our key
    - `calls`: method -> count; `queried`: the user names of each `find`; `probed`: the remote ids of each probe
    """

    label = "Microsoft Teams"
    messages: type[MessageCode] = ExampleMessage
    # The fake takes the place of Teams in the registry. The pages of Teams keep their addresses.
    urlconf = "integrations.teams.urls"
    addons: Sequence[AddOn] = ()
    user_name_label = "UPN"
    host_permission_label = "access policy"
    grant_script_name = "grant.txt"
    probe_size = 20
    capacity: Capacity | None = Capacity(10, CapacityWindow.MONTH)
    creates_by_key = True

    def __init__(self, slug: str = "teams") -> None:
        self.slug = slug
        self.people: dict[str, DirectoryResult] = {}
        self.chunk_size = 300
        self.is_fully_loaded = False
        self.addon = True
        self.account_id = SERVICE_ACCOUNT
        self.needs_permission_probe = False
        self.host_permission: dict[str, PermissionResult] = {}
        self.changes: DirectoryChanges | None = None
        self.warning = Message()
        self.check_warnings: dict[str, Message] = {}
        self.music = "none"
        self.meetings: dict[str, RemoteMeeting] = {}
        self.organizers: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.queried: list[list[str]] = []
        self.probed: list[list[str]] = []
        self.sync_tokens: list[str] = []
        self._numbers = count(1)
        self.keys: dict[str, str] = {}
        self._hooks: dict[tuple[str, bool], list[Callable[[], object] | None]] = defaultdict(list)
        self._outside = _depth_of_transaction()

    # --- for tests ---------------------------------------------------------------------------------
    def knows(self, user_name: str, /, **fields: object) -> DirectoryResult:
        """Add a person to the directory; by default found and able to host."""
        answer = DirectoryResult(remote_id=f"oid-of-{user_name.lower()}", user_name=user_name, name=user_name)
        self.people[user_name.lower()] = answer = replace(answer, **fields)  # type: ignore[arg-type]
        return answer

    def fail(self, method: str, error: BaseException, *, times: int = 1, after: bool = False) -> None:
        """Raise `error` on the next calls of `method`: before anything happens, or after it was carried out."""

        def raise_it() -> None:
            raise error

        self._hooks[method, after] += [raise_it] * times

    def refuse(self, method: str, connection: Connection) -> None:
        """Refuse the sign-in on the next call of `method`, and note it on the connection as a platform must."""
        error = refused()

        def refuse_it() -> None:
            require_reauthorization(Connection.objects.filter(pk=connection.pk), error.message)
            raise error

        self.during(method, refuse_it)

    def during(self, method: str, hook: Callable[[], object]) -> None:
        """Run `hook` while the next call of `method` is under way."""
        self._hooks[method, False].append(hook)

    def skip(self, method: str, times: int) -> None:
        """Let that many calls pass before the next `fail` or `during` of the method."""
        self._hooks[method, False] += [None] * times

    def forbids(self, *remote_ids: str) -> None:
        """Answer that no meetings may be hosted as these users."""
        self.host_permission |= dict.fromkeys(remote_ids, PermissionResult(PermissionState.DENIED))

    # --- the platform ------------------------------------------------------------------------------
    def is_offered_to(self, organization: Organization) -> bool:
        return self.addon and organization.has_addon("teams")

    def connect_url(self) -> str:
        return "/fake/connect/"

    def reconnect_url(self, connection: Connection) -> str:
        return f"/fake/again/{connection.pk}/"

    def reauthorize_url(self, connection: Connection) -> str:
        return f"/fake/reauthorize/{connection.pk}/"

    def account(self, connection: Connection) -> Account:
        return Account(name="Coconut Meetings", user_name="coconut-meetings@contoso.example")

    def refresh_account(self, connection: Connection) -> None:
        self._begin("refresh_account")
        self._end("refresh_account")

    def settings_form(self, connection: Connection, data: QueryDict | None = None) -> FakeSettings:
        return FakeSettings(self, data)

    def event_text(self, code: str, params: Mapping[str, Any]) -> str:
        return f"{code.title()}: {params['choice']}."

    def forget_sign_in(self, connection: Connection) -> None:
        self.calls["forget_sign_in"] += 1

    def remedy(self, connection: Connection, match: UserMatch) -> str:
        return f"Fix {match.reason}." if match.reason else ""

    def organizer_id(self, connection: Connection, match: UserMatch) -> str:
        return match.remote_id if self.needs_permission_probe else self.account_id

    def attendees(self, connection: Connection, match: UserMatch) -> tuple[Attendee, ...]:
        return (Attendee(match.remote_id, match.remote_user_name),)

    def needs_host_permission(self, connection: Connection) -> bool:
        return self.needs_permission_probe

    def hosts_as_staff(self, connection: Connection) -> bool:
        return self.needs_permission_probe

    def grant_scripts(self, connection: Connection, remote_ids: Sequence[str]) -> list[Script]:
        return [
            Script(verb, "\n".join(f"{verb} {remote_id}" for remote_id in remote_ids)) for verb in ("grant", "check")
        ]

    def probe_host_permission(self, connection: Connection, remote_ids: Sequence[str]) -> dict[str, PermissionResult]:
        self._begin("probe_host_permission")
        if len(remote_ids) > self.probe_size:
            raise AssertionError(f"{len(remote_ids)} people in one probe; at most {self.probe_size} were agreed.")
        self.probed.append(list(remote_ids))
        covered = PermissionResult(PermissionState.GRANTED)
        answers = {remote_id: self.host_permission.get(remote_id, covered) for remote_id in remote_ids}
        self._end("probe_host_permission")
        return answers

    def open_directory(self, connection: Connection, expected: int) -> FakeDirectory:
        self._begin("open_directory")
        self._end("open_directory")
        return FakeDirectory(self, self.chunk_size, self.is_fully_loaded)

    def find(self, user_names: Sequence[str]) -> dict[str, DirectoryResult]:
        self._begin("find")
        if len(user_names) > self.chunk_size:
            raise AssertionError(f"{len(user_names)} names in one call; at most {self.chunk_size} were agreed.")
        self.queried.append(list(user_names))
        nobody = DirectoryResult(reason=MatchReason.NOT_FOUND)
        answers = {name: self.people.get(name.lower(), nobody) for name in user_names}
        self._end("find")
        return answers

    def changes_since(self, connection: Connection, sync_token: str) -> DirectoryChanges | None:
        self._begin("changes_since")
        self.sync_tokens.append(sync_token)
        self._end("changes_since")
        return self.changes

    def capacity_remedy(self, connection: Connection) -> str:
        return "Use more organizers."

    def check(self, connection: Connection) -> Iterator[CheckStep]:
        for name in ("Sign-in", "Users", "Meetings"):
            try:
                self._begin("check")
            except PlatformError as error:
                yield CheckStep(message(name), StepOutcome.FAILED, error.message, error.request_id)
                break
            if name in self.check_warnings:
                yield CheckStep(message(name), StepOutcome.WARNING, self.check_warnings[name])
            else:
                yield CheckStep(message(name), StepOutcome.OK, message(f"{name} works."))

    def create_meeting(self, connection: Connection, spec: MeetingSpec, *, may_exist: bool) -> RemoteMeeting:
        return self._request(connection, lambda: self._create_or_get(spec))

    def find_meeting(self, connection: Connection, spec: MeetingSpec) -> RemoteMeeting | None:
        return self._request(connection, lambda: self._create_or_get(spec))

    def update_meeting(self, connection: Connection, remote_id: str, spec: MeetingSpec) -> Message:
        return self._request(connection, lambda: self._update(remote_id, spec), finds=True)

    def read_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> RemoteMeeting:
        return self._request(connection, lambda: self._read(organizer_id, remote_id), finds=True, writes=False)

    def delete_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> None:
        self._request(connection, lambda: self._delete(remote_id))

    def remote_meetings(self) -> dict[str, list[RemoteMeeting]]:
        """Return the existing meetings by our key."""
        found: dict[str, list[RemoteMeeting]] = defaultdict(list)
        for remote_id, meeting in self.meetings.items():
            found[self.keys[remote_id]].append(meeting)
        return found

    # --- inside ------------------------------------------------------------------------------------
    def _request(self, connection: Connection, act: Callable[[], T], *, finds: bool = False, writes: bool = True) -> T:
        """Send one request. `finds`: it may answer GONE; `writes`: it changes something."""
        return act()

    def _create_or_get(self, spec: MeetingSpec) -> RemoteMeeting:
        self._begin("create_meeting")
        existing = self._meetings_with(spec)
        meeting = existing[0] if existing else self._add(spec)
        self._end("create_meeting")
        return meeting

    def _update(self, remote_id: str, spec: MeetingSpec) -> Message:
        self._begin("update_meeting")
        meeting = self._find_meeting(spec.organizer_id, remote_id)
        self.meetings[remote_id] = _as_specified(remote_id, meeting.join_url, spec)
        self._end("update_meeting")
        return self.warning

    def _read(self, organizer_id: str, remote_id: str) -> RemoteMeeting:
        self._begin("read_meeting")
        meeting = self._find_meeting(organizer_id, remote_id)
        self._end("read_meeting")
        return meeting

    def _delete(self, remote_id: str) -> None:
        self._begin("delete_meeting")
        self.meetings.pop(remote_id, None)
        self._end("delete_meeting")

    def _add(self, spec: MeetingSpec) -> RemoteMeeting:
        number = next(self._numbers)
        remote_id = f"remote-{number}"
        self.keys[remote_id], self.organizers[remote_id] = str(spec.key), spec.organizer_id
        self.meetings[remote_id] = _as_specified(remote_id, f"https://meet.example/{number}", spec)
        return self.meetings[remote_id]

    def _meetings_with(self, spec: MeetingSpec) -> list[RemoteMeeting]:
        """Return the organizer's meetings with the key, oldest first."""
        return [
            meeting
            for remote_id, meeting in self.meetings.items()
            if (self.keys.get(remote_id), self.organizers.get(remote_id)) == (str(spec.key), spec.organizer_id)
        ]

    def _find_meeting(self, organizer_id: str, remote_id: str) -> RemoteMeeting:
        if remote_id not in self.meetings or self.organizers[remote_id] != organizer_id:
            raise gone()
        return self.meetings[remote_id]

    def _begin(self, method: str) -> None:
        if _depth_of_transaction() > self._outside:
            raise AssertionError(f"{method} was called inside a transaction.")
        self.calls[method] += 1
        self._run_hook(method, after=False)

    def _end(self, method: str) -> None:
        self._run_hook(method, after=True)

    def _run_hook(self, method: str, *, after: bool) -> None:
        hooks = self._hooks[method, after]
        hook = hooks.pop(0) if hooks else None
        if hook is not None:
            hook()


class KeylessFakePlatform(FakePlatform):
    """A platform that doesn't know our key, with staff as organizers and a daily limit of writes for each.

    - Each create makes another meeting with everything in it, so no update follows.
    - `writes_a_day`: creates and updates per organizer; `next_day` resets their count in `writes`.
    - `invite`: add a person who hasn't accepted the invitation, and who therefore has no id yet.
    """

    label = "Meet Example"
    user_name_label = "email"
    capacity: Capacity | None = Capacity(10, CapacityWindow.DAY)
    creates_by_key = False

    def __init__(self, slug: str = "teams") -> None:
        super().__init__(slug)
        self.writes_a_day = 100
        self.writes: Counter[str] = Counter()

    def invite(self, user_name: str) -> DirectoryResult:
        return self.knows(user_name, remote_id="", reason=MatchReason.PENDING)

    def next_day(self) -> None:
        self.writes.clear()

    def organizer_id(self, connection: Connection, match: UserMatch) -> str:
        return match.remote_id

    def attendees(self, connection: Connection, match: UserMatch) -> tuple[Attendee, ...]:
        return ()

    def hosts_as_staff(self, connection: Connection) -> bool:
        return True

    def create_meeting(self, connection: Connection, spec: MeetingSpec, *, may_exist: bool) -> RemoteMeeting:
        if may_exist and (existing := self.find_meeting(connection, spec)) is not None:
            return existing
        return self._request(connection, lambda: self._create(spec))

    def find_meeting(self, connection: Connection, spec: MeetingSpec) -> RemoteMeeting | None:
        existing = self._request(connection, lambda: self._list(spec), writes=False)
        for duplicate in existing[1:]:
            self.delete_meeting(connection, spec.organizer_id, duplicate.remote_id)
        return existing[0] if existing else None

    def _create(self, spec: MeetingSpec) -> RemoteMeeting:
        self._begin("create_meeting")
        self._count_write(spec.organizer_id)
        meeting = replace(self._add(spec), is_as_specified=True)
        self._end("create_meeting")
        return meeting

    def _list(self, spec: MeetingSpec) -> list[RemoteMeeting]:
        self._begin("list_meetings")
        existing = self._meetings_with(spec)
        self._end("list_meetings")
        return existing

    def _update(self, remote_id: str, spec: MeetingSpec) -> Message:
        self._count_write(spec.organizer_id)
        return super()._update(remote_id, spec)

    def _count_write(self, organizer_id: str) -> None:
        if self.writes[organizer_id] >= self.writes_a_day:
            raise throttled(8 * 3600, ErrorScope.HOST)
        self.writes[organizer_id] += 1


class FakeSettings(SettingsForm):
    """Choice that the platform keeps as `music`."""

    music = forms.ChoiceField(label="Music", choices=[("none", "No music"), ("jazz", "Jazz")])

    def __init__(self, platform: FakePlatform, data: QueryDict | None) -> None:
        super().__init__(data, initial={"music": platform.music})
        self.platform = platform

    def save(self) -> tuple[str, dict[str, Any]] | None:
        has_changed = self.platform.music != self.cleaned_data["music"]
        self.platform.music = self.cleaned_data["music"]
        return ("music", {"choice": self.platform.music}) if has_changed else None


@dataclass(frozen=True)
class FakeDirectory:
    platform: FakePlatform
    chunk_size: int
    is_fully_loaded: bool

    def find(self, user_names: Sequence[str]) -> Mapping[str, DirectoryResult]:
        return self.platform.find(user_names)


def _as_specified(remote_id: str, join_url: str, spec: MeetingSpec) -> RemoteMeeting:
    return RemoteMeeting(
        remote_id=remote_id,
        join_url=join_url,
        subject=spec.subject,
        starts_at=spec.starts_at,
        ends_at=spec.ends_at,
        attendee_ids=frozenset(attendee.remote_id for attendee in spec.attendees),
    )
