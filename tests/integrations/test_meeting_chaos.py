"""Whatever happens, in whatever order: in the end the platform has exactly what is wanted.

People ask, workers start in the middle of other workers' calls, answers are lost, writes land late, workers die,
leases run out, meetings vanish. The order is drawn from a seed, so that a failure can be repeated.

Two promises of the real world are kept: a worker is killed before its lease runs out (the task's hard limit), and a
write lands, if ever, within MEETING_RECHECK_SECONDS of being sent.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from integrations import meetings, platforms
from integrations.models import Connection, Meeting, Wanted
from integrations.platforms import ErrorKind, MeetingSpec, PlatformError, RemoteMeeting
from tests.integrations.asks import ask, later, make_hosting
from tests.integrations.fake_platform import FakePlatform, gone, outage, refused, throttled

pytestmark = pytest.mark.django_db(transaction=True)

# Many short lives find more than a few long ones: a later ask heals what an earlier one broke.
SEEDS = range(12)
LIVES = 25


class Killed(BaseException):
    """The worker is gone, at once and without a word."""


class UnreliablePlatform(FakePlatform):
    """Between the moment a call is sent and the moment its answer arrives, anything may happen."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice = dice
        self.is_wild = True
        self.clock = 0.0
        #: Writes that are on their way, without an answer: (when they land at the latest, what they do).
        self.on_the_way: list[tuple[float, Callable[[], object]]] = []
        self.meanwhile: Callable[[], None] = lambda: None
        #: When the workers that are under way took up their work, the innermost last.
        self.started: list[float] = []

    def create_meeting(self, connection: Connection, spec: MeetingSpec) -> RemoteMeeting:
        answer: RemoteMeeting = self._send(lambda: FakePlatform.create_meeting(self, connection, spec))
        return answer

    def update_meeting(self, connection: Connection, remote_id: str, spec: MeetingSpec) -> str:
        self._sometimes_not_found()
        answer: str = self._send(lambda: FakePlatform.update_meeting(self, connection, remote_id, spec))
        return answer

    def read_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> RemoteMeeting:
        self._sometimes_not_found()
        answer: RemoteMeeting = self._send(
            lambda: FakePlatform.read_meeting(self, connection, organizer_id, remote_id)
        )
        return answer

    def delete_meeting(self, connection: Connection, organizer_id: str, remote_id: str) -> None:
        self._send(lambda: FakePlatform.delete_meeting(self, connection, organizer_id, remote_id))

    def _sometimes_not_found(self) -> None:
        """An answer that is not true."""
        if self.is_wild and self.dice.random() < 0.03:
            raise gone()

    def _send(self, act: Callable[[], Any]) -> Any:
        if not self.is_wild:
            return act()
        fates = {"answered": 12, "refused": 2, "answer lost": 2, "late": 2, "never arrived": 1}
        (fate,) = self.dice.choices(list(fates), list(fates.values()))
        if fate == "refused":
            raise self.dice.choice([outage(), throttled(20), refused()])
        if fate == "answer lost":
            act()
        if fate == "late":
            self.on_the_way.append((self.clock + settings.MEETING_RECHECK_SECONDS, act))
        self.meanwhile()
        self._die_in_time()
        if fate != "answered":
            raise self._no_answer()
        answer = act()
        self.meanwhile()
        self._die_in_time()
        return answer

    def _die_in_time(self) -> None:
        if self.clock - self.started[-1] > settings.MEETING_TASK_TIME_LIMIT or self.dice.random() < 0.05:
            raise Killed

    def _no_answer(self) -> BaseException:
        if self.dice.random() < 0.3:
            return Killed()
        return PlatformError(ErrorKind.OUTAGE, "No answer came.", ambiguous=True)

    def pass_time(self, seconds: float) -> None:
        """For everybody: the rows, and the writes that land within their time."""
        self.clock += seconds
        for entry in [each for each in self.on_the_way if each[0] <= self.clock]:
            self.land(entry)
        later(seconds)

    def land(self, entry: tuple[float, Callable[[], object]]) -> None:
        self.on_the_way.remove(entry)
        try:
            entry[1]()
        except PlatformError as error:
            if error.kind != ErrorKind.GONE:
                raise


@dataclass
class World:
    """A meeting, the people who change their minds about it, and the workers."""

    platform: UnreliablePlatform
    dice: random.Random
    meeting: Meeting
    meetings_vanish: bool
    depth: int = 0

    def meanwhile(self) -> None:
        """A few things that happen during a call, other workers' work included."""
        if self.depth < 3 and self.dice.random() < 0.5:
            self.depth += 1
            for _ in range(self.dice.randint(1, 3)):
                self.step()
            self.depth -= 1

    def step(self) -> None:
        pk = self.meeting.pk
        things: dict[Callable[[], object], int] = {
            self.move: 4,
            (lambda: meetings.rename(pk, f"Name {self.dice.random()}")): 2,
            (lambda: meetings.ask_to_cancel(pk)): 1,
            self.work: 10,
            (lambda: self.platform.pass_time(self.dice.choice([1, 5, 16, 16, 45, 95]))): 6,
            self.land_something: 1,
            self.lose_a_meeting: 1 if self.meetings_vanish else 0,
        }
        (thing,) = self.dice.choices(list(things), list(things.values()))
        thing()

    def move(self) -> None:
        by = timedelta(hours=self.dice.randint(1, 1000))
        meetings.ask_to_move(
            self.meeting.pk, starts_at=self.meeting.starts_at + by, ends_at=self.meeting.ends_at + by
        )

    def work(self) -> None:
        self.platform.started.append(self.platform.clock)
        depth = self.depth
        try:
            meetings.sync_meeting(self.meeting.pk)
        except Killed:
            self.depth = depth
        finally:
            self.platform.started.pop()

    def land_something(self) -> None:
        if self.platform.on_the_way:
            self.platform.land(self.dice.choice(self.platform.on_the_way))

    def lose_a_meeting(self) -> None:
        if self.platform.meetings:
            self.platform.meetings.pop(self.dice.choice(list(self.platform.meetings)))

    def calm_down(self) -> Meeting:
        """The platform is well again and the workers have all the time they need."""
        self.platform.is_wild = False
        for _ in range(10):
            self.platform.pass_time(1000)
            self.work()
            self.meeting.refresh_from_db()
            if self.meeting.due_at is None:
                break
        return self.meeting


@pytest.mark.parametrize("seed", SEEDS)
def test_in_the_end_the_platform_has_what_is_wanted(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(seed)
    hosting = make_hosting()
    monkeypatch.setattr("integrations.nudges.send", lambda task, *args, **options: True)
    for _ in range(LIVES):
        platform = UnreliablePlatform(dice)
        monkeypatch.setitem(platforms._platforms, "teams", platform)
        world = World(platform, dice, ask(hosting), meetings_vanish=dice.random() < 0.2)
        platform.meanwhile = world.meanwhile

        for _ in range(dice.randint(3, 20)):
            world.step()
        meeting = world.calm_down()
        if world.meetings_vanish:
            # Nobody looks after a meeting that agrees: only the next change finds out that it vanished.
            meetings.rename(meeting.pk, "Noticed")
            meeting = world.calm_down()

        is_live = meeting.wanted == Wanted.LIVE
        assert (meeting.due_at, meeting.synced_version) == (None, meeting.version)
        assert meeting.state == ("ready" if is_live else "cancelled")
        assert [_wanted(meeting)] * is_live == [_found(remote) for remote in platform.meetings.values()]


def _wanted(meeting: Meeting) -> tuple[str, str, str, str]:
    return meeting.remote_id, meeting.join_url, meeting.subject, f"{meeting.starts_at}–{meeting.ends_at}"


def _found(remote: RemoteMeeting) -> tuple[str, str, str, str]:
    return remote.remote_id, remote.join_url, remote.subject, f"{remote.starts_at}–{remote.ends_at}"
