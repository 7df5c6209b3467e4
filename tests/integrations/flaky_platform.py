"""A platform whose calls wait for an outcome that the test chooses, and workers that run one call at a time.

Two promises of the real world are kept: a worker is killed before its lease runs out (the task's hard limit), and a
write lands, if ever, within `SETTLED_AFTER` of being sent.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from queue import Queue
from threading import Thread, current_thread
from typing import Any, Final

from django.db import connection as database

from integrations.connections.lifecycle import require_reauthorization
from integrations.meetings.lease import SETTLED_AFTER
from integrations.models import Connection, UserMatch
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import Attendee, ErrorScope, PlatformError
from tests.integrations.fake_platform import (
    FakePlatform,
    KeylessFakePlatform,
    gone,
    outage,
    refused,
    throttled,
)
from tests.integrations.meeting_steps import later
from tests.messages import message


class Killed(BaseException):
    """End of a worker that is killed without a trace."""


class Crashed(Exception):
    """Exception that no code expects."""


class Fate(Enum):
    """Outcome of a call: of sending it, and of receiving its answer."""

    CARRIED_OUT = "carried out"
    NEVER_ARRIVES = "never arrives; no answer"
    LANDS_LATE = "carried out later; no answer"
    UNREACHABLE = "no connection"
    BUSY = "429"
    HOST_BUSY = "429 for this host"
    SIGN_IN_REFUSED = "the sign-in is refused"
    PERSON_REFUSED = "refused for this person"
    CALLED_WRONG = "400"
    NOT_FOUND = "404, which is not true"
    CRASHED = "an unexpected exception before it"
    KILLED = "the worker is killed before it"
    KILLED_LANDS_LATE = "the worker is killed, the call arrives later"

    ANSWERED = "answered"
    ANSWER_LOST = "the answer is lost"
    KILLED_AFTER = "the worker is killed before the answer"
    CRASHED_AFTER = "an unexpected exception at the answer"


WHEN_SENT: Final = [Fate.CARRIED_OUT] * 14 + [
    Fate.NEVER_ARRIVES,
    Fate.LANDS_LATE,
    Fate.LANDS_LATE,
    Fate.UNREACHABLE,
    Fate.BUSY,
    Fate.HOST_BUSY,
    Fate.SIGN_IN_REFUSED,
    Fate.PERSON_REFUSED,
    Fate.CALLED_WRONG,
    Fate.NOT_FOUND,
    Fate.CRASHED,
    Fate.CRASHED,
    Fate.KILLED,
    Fate.KILLED_LANDS_LATE,
]
WHEN_CARRIED_OUT: Final = [Fate.ANSWERED] * 6 + [Fate.ANSWER_LOST, Fate.KILLED_AFTER, Fate.CRASHED_AFTER]


class Worker(Thread):
    """A worker with its own database connection. Workers never run at the same time.

    `stage` is "sent" or "carried out" while it waits in a call, and "" while it has nothing to do.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stage = ""
        self.started_at = 0.0
        self._orders: Queue[Any] = Queue()
        self._reports: Queue[str | BaseException] = Queue()
        self.start()

    def begin(self, task: Callable[[], object], clock: float) -> None:
        """Run a task up to its first call or its end."""
        self.started_at = clock
        self._send_order(task)

    def continue_with(self, fate: Fate) -> None:
        """Give the pending call this outcome."""
        self._send_order(fate)

    def finish(self) -> None:
        """Answer all calls until the task ends."""
        while self.stage:
            self.continue_with(Fate.CARRIED_OUT if self.stage == "sent" else Fate.ANSWERED)

    def close(self) -> None:
        """End the thread."""
        self._orders.put(None)
        self.join(timeout=10)

    def wait_in_call(self, stage: str) -> Fate:
        """Wait for the outcome; runs on the worker's thread, called by the platform."""
        self._reports.put(stage)
        fate: Fate = self._orders.get(timeout=60)
        return fate

    def run(self) -> None:
        while (task := self._orders.get()) is not None:
            try:
                task()
            except Killed:
                self._reports.put("")
            except BaseException as error:  # noqa: BLE001 - the test's thread raises it
                self._reports.put(error)
            else:
                self._reports.put("")
        database.close()

    def _send_order(self, order: object) -> None:
        self._orders.put(order)
        report = self._reports.get(timeout=30)
        if isinstance(report, BaseException):
            self.stage = ""
            raise report
        self.stage = report


class Unreliable:
    """Mixin for a fake platform. Requests of workers wait for their fate; all other requests just work.

    `organizer_of` maps the remote users of hosts to organizers.
    """

    def __init__(self, organizer_of: dict[str, str]) -> None:
        super().__init__()
        self.organizer_of = organizer_of
        self.clock = 0.0
        self.carried_out = self.landed_late = 0
        self._late: list[tuple[float, Callable[[], object]]] = []

    def organizer_id(self, connection: Connection, match: UserMatch) -> str:
        return self.organizer_of[match.remote_id]

    def attendees(self, connection: Connection, match: UserMatch) -> tuple[Attendee, ...]:
        return (Attendee(match.remote_id, match.remote_user_name),)

    def pass_time(self, seconds: float) -> None:
        """Let time pass for the rows and for delayed writes."""
        self.clock += seconds
        for entry in [each for each in self._late if each[0] <= self.clock]:
            self._land(entry)
        later(seconds)

    def land_one(self, number: int) -> None:
        """Carry out one of the delayed writes."""
        if self._late:
            self._land(self._late[number % len(self._late)])

    def _land(self, entry: tuple[float, Callable[[], object]]) -> None:
        self._late.remove(entry)
        self.landed_late += 1
        try:
            entry[1]()
        except PlatformError as error:
            if error.kind != ErrorKind.GONE:
                raise

    def _request(
        self, connection: Connection, act: Callable[[], Any], *, finds: bool = False, writes: bool = True
    ) -> Any:
        worker = current_thread()
        if not isinstance(worker, Worker):
            return act()
        fate = worker.wait_in_call("sent")
        if fate == Fate.CARRIED_OUT:
            return self._carry_out(worker, act, writes)
        if fate in (Fate.LANDS_LATE, Fate.KILLED_LANDS_LATE) and writes:
            self._late.append((self.clock + SETTLED_AFTER.total_seconds(), act))
        if fate in (Fate.KILLED, Fate.KILLED_LANDS_LATE):
            raise Killed
        if fate == Fate.CRASHED:
            raise Crashed
        if fate == Fate.NOT_FOUND and not finds:
            fate = Fate.UNREACHABLE
        if fate == Fate.SIGN_IN_REFUSED:
            require_reauthorization(Connection.objects.filter(pk=connection.pk), message("Sign in again."))
        raise _error(fate, writes)

    def _carry_out(self, worker: Worker, act: Callable[[], Any], writes: bool) -> Any:
        self.carried_out += 1
        answer, problem = None, None
        try:
            answer = act()
        except PlatformError as error:
            problem = error
        fate = worker.wait_in_call("carried out")
        if fate == Fate.KILLED_AFTER:
            raise Killed
        if fate == Fate.CRASHED_AFTER:
            raise Crashed
        if fate == Fate.ANSWER_LOST:
            raise _error(fate, writes)
        if problem is not None:
            raise problem
        return answer


class UnreliablePlatform(Unreliable, FakePlatform):
    """Unreliable platform that knows our key."""


class UnreliableKeylessPlatform(Unreliable, KeylessFakePlatform):
    """Unreliable platform that must search for our meetings."""


def _error(fate: Fate, writes: bool) -> PlatformError:
    errors = {
        Fate.UNREACHABLE: outage(),
        Fate.BUSY: throttled(20),
        Fate.HOST_BUSY: throttled(20, ErrorScope.HOST),
        Fate.SIGN_IN_REFUSED: refused(),
        Fate.PERSON_REFUSED: PlatformError(ErrorKind.PERSON, message("Not this person.")),
        Fate.CALLED_WRONG: PlatformError(ErrorKind.BUG, message("Not so.")),
        Fate.NOT_FOUND: gone(),
    }
    uncertain = PlatformError(ErrorKind.OUTAGE, message("No answer came."), ambiguous=writes)
    return errors.get(fate, uncertain)
