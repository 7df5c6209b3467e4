"""A video platform in memory, for tests that are not about Microsoft.

It keeps the contract of `integrations.platforms.base.VideoPlatform`: meetings are created once per key, what is gone
answers GONE, every name that is looked up gets an answer. It fails when told to, counts what it was asked, and
refuses to be called inside a transaction.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from django import forms
from django.db import connection as database
from django.http import QueryDict

from integrations.connections.lifecycle import require_reauthorization
from integrations.models import Connection, UserMatch
from integrations.platforms.failures import ErrorKind
from integrations.platforms.settings_form import SettingsForm
from integrations.platforms.values import (
    Account,
    Attendee,
    Changes,
    CheckStep,
    DirectoryResult,
    MatchReason,
    MeetingSpec,
    PermissionResult,
    PermissionState,
    PlatformError,
    RemoteMeeting,
    StepOutcome,
)
from staff.addons import AddOn
from staff.models import Organization

SERVICE_ACCOUNT = "oid-of-the-service-account"


def outage() -> PlatformError:
    return PlatformError(ErrorKind.OUTAGE, "The fake platform cannot be reached.")


def throttled(seconds: float = 30) -> PlatformError:
    return PlatformError(ErrorKind.THROTTLED, "The fake platform is busy.", retry_after=seconds)


def refused() -> PlatformError:
    return PlatformError(ErrorKind.CONNECTION, "The fake platform no longer accepts the sign-in.")


def gone() -> PlatformError:
    return PlatformError(ErrorKind.GONE, "The meeting does not exist.")


def _depth_of_transaction() -> int:
    return len(database.savepoint_ids) + int(database.in_atomic_block)


class FakePlatform:
    """A platform in memory. Tests set and read these attributes:

    - `people`: user name in lower case -> result; `chunk_size` and `holds_everybody` of its directory
    - `addon`: whether the platform is offered; `warning`: the return value of `update_meeting`
    - `needs_host_permission`, `host_permission`: remote id -> result (granted if missing)
    - `changes`: the return value of `changes_since`; `marks`: the arguments of its calls
    - `meetings`: remote id -> meeting; `organizers`: remote id -> organizer id
    - `calls`: method -> count; `asked`: the user names of each `find`; `probed`: the remote ids of each probe
    """

    label = "Microsoft Teams"
    # The fake takes the place of Teams in the registry. The pages of Teams keep their addresses.
    urlconf = "integrations.teams.urls"
    addons: Sequence[AddOn] = ()
    user_name_label = "UPN"
    grant_script_name = "grant.txt"
    probe_size = 20
    most_meetings_a_month: int | None = 10

    def __init__(self, slug: str = "teams") -> None:
        self.slug = slug
        self.people: dict[str, DirectoryResult] = {}
        self.chunk_size = 300
        self.holds_everybody = False
        self.addon = True
        self.needs_permission_probe = False
        self.host_permission: dict[str, PermissionResult] = {}
        self.changes: Changes | None = None
        self.warning = ""
        self.music = "none"
        self.meetings: dict[str, RemoteMeeting] = {}
        self.organizers: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.asked: list[list[str]] = []
        self.probed: list[list[str]] = []
        self.marks: list[str] = []
        self._numbers = count(1)
        self._keys: dict[tuple[str, str], str] = {}
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
            require_reauthorization(Connection.objects.filter(pk=connection.pk), error.sentence)
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

    def settings_form(self, connection: Connection, data: QueryDict | None = None) -> FakeSettings:
        return FakeSettings(self, data)

    def forget_sign_in(self, connection: Connection) -> None:
        self.calls["forget_sign_in"] += 1

    def remedy(self, connection: Connection, match: UserMatch) -> str:
        return f"Mend {match.reason}." if match.reason else ""

    def organizer_id(self, connection: Connection, match: UserMatch) -> str:
        return SERVICE_ACCOUNT

    def attendees(self, connection: Connection, match: UserMatch) -> tuple[Attendee, ...]:
        return (Attendee(match.remote_id, match.remote_user_name),)

    def needs_host_permission(self, connection: Connection) -> bool:
        return self.needs_permission_probe

    def grant_script(self, connection: Connection, remote_ids: Sequence[str]) -> str:
        return "\n".join(f"grant {remote_id}" for remote_id in remote_ids)

    def probe_host_permission(
        self, connection: Connection, remote_ids: Sequence[str]
    ) -> dict[str, PermissionResult]:
        self._begin("probe_host_permission")
        if len(remote_ids) > self.probe_size:
            raise AssertionError(
                f"{len(remote_ids)} people in one probe; at most {self.probe_size} were agreed."
            )
        self.probed.append(list(remote_ids))
        covered = PermissionResult(PermissionState.GRANTED)
        answers = {remote_id: self.host_permission.get(remote_id, covered) for remote_id in remote_ids}
        self._end("probe_host_permission")
        return answers

    def open_directory(self, connection: Connection, expected: int) -> FakeDirectory:
        self._begin("open_directory")
        self._end("open_directory")
        return FakeDirectory(self, self.chunk_size, self.holds_everybody)

    def find(self, user_names: Sequence[str]) -> dict[str, DirectoryResult]:
        self._begin("find")
        if len(user_names) > self.chunk_size:
            raise AssertionError(
                f"{len(user_names)} names in one call; at most {self.chunk_size} were agreed."
            )
        self.asked.append(list(user_names))
        nobody = DirectoryResult(reason=MatchReason.NOT_FOUND)
        answers = {name: self.people.get(name.lower(), nobody) for name in user_names}
        self._end("find")
        return answers

    def changes_since(self, connection: Connection, mark: str) -> Changes | None:
        self._begin("changes_since")
        self.marks.append(mark)
        self._end("changes_since")
        return self.changes

    def capacity_remedy(self, connection: Connection) -> str:
        return "Use more organizers."

    def check(self, connection: Connection) -> Iterator[CheckStep]:
        for name in ("Sign-in", "Users", "Meetings"):
            try:
                self._begin("check")
            except PlatformError as error:
                yield CheckStep(name, StepOutcome.FAILED, error.sentence, error.request_id)
                break
            yield CheckStep(name, StepOutcome.OK, f"{name} works.")

    def create_meeting(self, connection: Connection, spec: MeetingSpec) -> RemoteMeeting:
        self._begin("create_meeting")
        key = (spec.organizer_id, str(spec.key))
        if self._keys.get(key) not in self.meetings:
            number = next(self._numbers)
            self._keys[key] = remote_id = f"remote-{number}"
            self.organizers[remote_id] = spec.organizer_id
            self.meetings[remote_id] = _as_specified(remote_id, f"https://meet.example/{number}", spec)
        self._end("create_meeting")
        return self.meetings[self._keys[key]]

    def update_meeting(self, connection: Connection, remote_id: str, spec: MeetingSpec) -> str:
        self._begin("update_meeting")
        meeting = self._find_meeting(spec.organizer_id, remote_id)
        self.meetings[remote_id] = _as_specified(remote_id, meeting.join_url, spec)
        self._end("update_meeting")
        return self.warning

    def read_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> RemoteMeeting:
        self._begin("read_meeting")
        meeting = self._find_meeting(organizer_id, remote_id)
        self._end("read_meeting")
        return meeting

    def delete_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> None:
        self._begin("delete_meeting")
        self.meetings.pop(remote_id, None)
        self._end("delete_meeting")

    # --- inside ------------------------------------------------------------------------------------
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


class FakeSettings(SettingsForm):
    """One choice, which the platform keeps as `music`."""

    music = forms.ChoiceField(label="Music", choices=[("none", "No music"), ("jazz", "Jazz")])

    def __init__(self, platform: FakePlatform, data: QueryDict | None) -> None:
        super().__init__(data, initial={"music": platform.music})
        self.platform = platform

    def save(self) -> str:
        has_changed = self.platform.music != self.cleaned_data["music"]
        self.platform.music = self.cleaned_data["music"]
        return f"Music: {self.platform.music}." if has_changed else ""


@dataclass(frozen=True)
class FakeDirectory:
    platform: FakePlatform
    chunk_size: int
    holds_everybody: bool

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
