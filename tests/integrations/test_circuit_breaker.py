"""A platform that is down is probed by one caller; one meeting that always fails doesn't stop others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import circuit_breaker
from integrations.circuit_breaker import pause, record_success
from integrations.connections.disconnect import disconnect_connection
from integrations.hosting.eligibility import Hosting
from integrations.meetings.sweep import sweep
from integrations.meetings.sync import sync_meeting
from integrations.models import Connection, Meeting
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from tests.factories import make_organization
from tests.integrations.circuit_steps import calls, connection_of, open_circuit, seconds_until_the_probe
from tests.integrations.concurrency import at_once
from tests.integrations.fake_platform import FakePlatform, outage, throttled
from tests.integrations.meeting_steps import HALF_AN_HOUR, STARTS, ask, later, make_hosting, move, sync
from tests.messages import message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return the arguments of the tasks that were sent to the broker."""
    sent: list[object] = []

    def send_each(task: str, calls: list[tuple[object, ...]], **options: object) -> bool:
        sent.extend(argument for args in calls for argument in args)
        return True

    monkeypatch.setattr("coconut.task_queue.send_each", send_each)
    return sent


def test_after_three_meetings_without_an_answer_calls_pause(hosting: Hosting, fake_teams: FakePlatform) -> None:
    open_circuit(hosting, fake_teams)
    fresh = ask(hosting)

    sync(fresh)

    assert (fresh.state, fresh.lease_token, calls(fake_teams)) == ("pending", None, 0)
    assert 10 < seconds_until_the_probe(hosting) <= 15


def test_two_meetings_without_an_answer_do_not_open_the_circuit(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", outage(), times=2)
    for _ in range(2):
        sync(ask(hosting))

    assert sync(ask(hosting)).state == "ready"


def test_one_meeting_that_always_fails_never_stops_the_others(hosting: Hosting, fake_teams: FakePlatform) -> None:
    poisoned = ask(hosting)
    fake_teams.fail("create_meeting", outage(), times=8)
    for _ in range(8):
        sync(poisoned)
        later(seconds=1000)

    assert (poisoned.attempts, connection_of(hosting).probe_at) == (8, None)
    assert sync(ask(hosting)).state == "ready"


def test_a_meeting_that_always_fails_is_not_tried_with_every_success_of_another(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    record_success(connection_of(hosting).pk)
    poisoned = ask(hosting)
    fake_teams.fail("create_meeting", outage())
    sync(poisoned)
    sync(ask(hosting))
    fake_teams.calls.clear()

    sync(poisoned)

    assert (poisoned.state, calls(fake_teams)) == ("pending", 0)


def test_an_answer_in_between_restarts_the_count(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", outage(), times=2)
    for _ in range(2):
        sync(ask(hosting))
    sync(ask(hosting))
    fake_teams.fail("create_meeting", outage())
    sync(ask(hosting))

    assert len(connection_of(hosting).consecutive_failures) == 1


@pytest.mark.parametrize("kind", [ErrorKind.PERSON, ErrorKind.BUG, ErrorKind.GONE])
def test_a_refusal_is_an_answer(hosting: Hosting, fake_teams: FakePlatform, kind: ErrorKind) -> None:
    waiting, *_ = open_circuit(hosting, fake_teams)
    later(seconds=16)
    fake_teams.fail("create_meeting", PlatformError(kind, message("No.")))
    sync(ask(hosting))

    assert (connection_of(hosting).probe_at, connection_of(hosting).consecutive_failures) == (None, [])
    assert sync(waiting).state == "ready"


def test_when_the_pause_is_over_one_worker_at_a_time_probes(hosting: Hosting, fake_teams: FakePlatform) -> None:
    waiting = open_circuit(hosting, fake_teams)
    later(seconds=16)
    seen: list[int] = []

    def others_try() -> None:
        for meeting in waiting[1:]:
            sync(meeting)
        seen.append(calls(fake_teams))

    fake_teams.during("create_meeting", others_try)
    sync(waiting[0])

    assert (seen, waiting[0].state) == ([1], "ready")


def test_of_simultaneous_workers_only_one_probes(hosting: Hosting, fake_teams: FakePlatform) -> None:
    waiting = [ask(hosting) for _ in range(6)]
    for round_ in range(5):
        now = timezone.now()
        Connection.objects.update(consecutive_failures=["a", "b", "c"], probe_at=now)
        Meeting.objects.update(due_at=now)
        fake_teams.fail("create_meeting", outage(), times=6)
        fake_teams.calls.clear()

        at_once(*[lambda meeting=meeting: sync_meeting(meeting.pk) for meeting in waiting])

        assert (round_, calls(fake_teams)) == (round_, 1)
        fake_teams._hooks.clear()


def test_the_first_success_makes_waiting_meetings_due(
    hosting: Hosting, fake_teams: FakePlatform, enqueued: list[object]
) -> None:
    waiting = open_circuit(hosting, fake_teams)
    later(seconds=16)
    Meeting.objects.exclude(pk=waiting[0].pk).update(due_at=timezone.now() + timedelta(hours=1))

    sync(waiting[0])

    assert connection_of(hosting).probe_at is None
    assert {meeting.pk for meeting in Meeting.objects.due()} == {waiting[1].pk, waiting[2].pk}


def test_the_pauses_grow_while_the_probes_fail(
    hosting: Hosting, fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breaker, "LONGEST_PROBE_PAUSE_SECONDS", 100)
    open_circuit(hosting, fake_teams)
    fake_teams.fail("create_meeting", outage(), times=30)

    pauses = []
    for _ in range(6):
        pauses.append(seconds_until_the_probe(hosting))
        later(seconds=101)
        sync(ask(hosting))

    expected = [15, 30, 60, 100, 100, 100]
    assert all(most * 0.75 - 2 <= pause <= most for pause, most in zip(pauses, expected, strict=True))


def test_calls_that_were_under_way_do_not_make_the_pause_longer(hosting: Hosting, fake_teams: FakePlatform) -> None:
    late = ask(hosting)
    fake_teams.during("create_meeting", lambda: open_circuit(hosting, fake_teams))
    fake_teams.fail("create_meeting", outage(), times=1, after=True)

    sync(late)

    assert (late.error_kind, len(connection_of(hosting).consecutive_failures)) == ("outage", 3)


def test_retry_after_is_honoured_up_to_the_longest_pause(hosting: Hosting, fake_teams: FakePlatform) -> None:
    error = PlatformError(ErrorKind.OUTAGE, message("Back in an hour."), retry_after=3600)
    fake_teams.fail("create_meeting", error, times=3)
    for _ in range(3):
        sync(ask(hosting))

    assert 118 < seconds_until_the_probe(hosting) <= 120


def test_another_worker_probes_after_the_owner_died(hosting: Hosting, fake_teams: FakePlatform) -> None:
    first, second, _ = open_circuit(hosting, fake_teams)
    later(seconds=16)
    assert circuit_breaker.acquire_probe(Connection.objects.all(), "somebody who dies")
    later(seconds=80)
    too_early = sync(first).state

    later(seconds=11)

    assert (too_early, sync(second).state) == ("pending", "ready")


def test_a_meeting_that_always_fails_does_not_keep_the_others_from_probing(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    waiting = open_circuit(hosting, fake_teams)
    later(seconds=16)
    fake_teams.fail("create_meeting", outage())
    sync(waiting[0])
    later(seconds=30)

    sync_meeting(waiting[0].pk)
    sync(waiting[1])

    assert waiting[1].state == "ready"


def test_an_uncertain_move_is_compared_after_the_outage(hosting: Hosting, fake_teams: FakePlatform) -> None:
    moved = sync(ask(hosting))
    move(moved)
    fake_teams.fail("update_meeting", PlatformError(ErrorKind.OUTAGE, message("No answer."), ambiguous=True))
    sync(moved)
    fake_teams.fail("create_meeting", outage(), times=2)
    for _ in range(2):
        sync(ask(hosting))
    in_the_outage = connection_of(hosting).probe_at

    later(seconds=30)
    sync(moved)
    later(seconds=61)
    fake_teams.calls.clear()
    sync(moved)

    assert in_the_outage is not None
    assert (fake_teams.calls, moved.due_at, moved.recheck_at) == ({"read_meeting": 1}, None, None)


def test_a_throttled_call_ends_the_outage_and_starts_a_pause(hosting: Hosting, fake_teams: FakePlatform) -> None:
    open_circuit(hosting, fake_teams)
    later(seconds=16)
    fake_teams.fail("create_meeting", throttled(40))
    sync(ask(hosting))

    connection = connection_of(hosting)
    assert connection.paused_until is not None
    assert (connection.probe_at, connection.consecutive_failures) == (None, [])
    assert 38 < (connection.paused_until - timezone.now()).total_seconds() <= 40


def test_the_end_of_an_outage_does_not_end_a_pause(hosting: Hosting, fake_teams: FakePlatform) -> None:
    open_circuit(hosting, fake_teams)
    pause(connection_of(hosting).pk, 600)

    record_success(connection_of(hosting).pk)

    connection = connection_of(hosting)
    assert (connection.probe_at, connection.paused_until is not None) == (None, True)


def test_a_connection_of_another_organisation_continues(hosting: Hosting, fake_teams: FakePlatform) -> None:
    other = make_hosting(make_organization("Cedar Bank"))

    open_circuit(hosting, fake_teams)

    assert sync(ask(other)).state == "ready"


def test_the_sweep_enqueues_one_meeting_per_connection_that_is_down_and_all_others(
    hosting: Hosting, fake_teams: FakePlatform, enqueued: list[object]
) -> None:
    waiting = open_circuit(hosting, fake_teams)
    soonest = ask(hosting, starts_at=STARTS - HALF_AN_HOUR)
    others = [ask(make_hosting(make_organization("Cedar Bank")))]
    enqueued.clear()
    in_the_pause = sweep()

    later(seconds=61)
    enqueued.clear()
    sweep()

    assert in_the_pause == 0
    assert enqueued == [str(each.pk) for each in [soonest, *others]]
    assert {str(each.pk) for each in waiting}.isdisjoint(map(str, enqueued))


def test_meetings_that_wait_for_a_platform_that_is_down_say_so(hosting: Hosting, fake_teams: FakePlatform) -> None:
    open_circuit(hosting, fake_teams)
    fresh = ask(hosting)

    sweep()

    fresh.refresh_from_db()
    assert (fresh.state, fresh.error_kind) == ("pending", "outage")
    assert str(fresh.error).startswith("The video platform gives no answers at the moment.")


def test_meetings_that_wait_for_a_requested_pause_say_so(hosting: Hosting, fake_teams: FakePlatform) -> None:
    pause(connection_of(hosting).pk, 600)
    fresh = ask(hosting)

    sweep()
    fresh.refresh_from_db()
    shown = fresh.state, fresh.error_kind
    later(seconds=601)
    sync(fresh)

    assert (shown, fresh.state, fresh.error_kind) == (("pending", "throttled"), "ready", "")


def test_a_disconnect_forgets_the_outage(hosting: Hosting, fake_teams: FakePlatform) -> None:
    open_circuit(hosting, fake_teams)

    disconnect_connection(connection_of(hosting), None)

    connection = connection_of(hosting)
    assert (connection.probe_at, connection.consecutive_failures, connection.probe_owner) == (None, [], "")
