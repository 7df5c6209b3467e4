"""Rematches and host permission probes respect the circuit breaker."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from integrations.hosting.eligibility import Hosting
from integrations.matching import host_permission, people
from integrations.matching.rematch_worker import work_on_run
from integrations.models import Connection, RematchRun, RematchState, UserMatch
from integrations.platforms.values import PermissionResult, PermissionState
from tests.factories import make_run
from tests.integrations.circuit_steps import calls, connection_of, open_circuit, seconds_until_the_probe
from tests.integrations.fake_platform import FakePlatform, outage
from tests.integrations.meeting_steps import later, sync

pytestmark = pytest.mark.django_db(transaction=True)


def rematch(hosting: Hosting) -> RematchRun:
    return make_run(connection_of(hosting), state=RematchState.RUNNING, total=1)


def rematch_everybody(hosting: Hosting) -> None:
    work_on_run(rematch(hosting).pk)


def rematch_sam(hosting: Hosting) -> None:
    people.rematch_people(connection_of(hosting), [hosting.staff_id])


def ask_for_coverage(hosting: Hosting) -> None:
    UserMatch.objects.update(host_permission="unknown", host_permission_due_at=timezone.now())
    host_permission.probe_host_permission(connection_of(hosting).pk)


Work = Callable[[Hosting], None]
BACKGROUND = pytest.mark.parametrize(
    ("work", "method"),
    [(rematch_everybody, "find"), (rematch_sam, "find"), (ask_for_coverage, "probe_host_permission")],
)


@BACKGROUND
def test_background_work_does_not_call_a_platform_that_is_down(
    hosting: Hosting, fake_teams: FakePlatform, work: Work, method: str
) -> None:
    open_circuit(hosting, fake_teams)

    work(hosting)

    assert calls(fake_teams) == 0


@BACKGROUND
def test_background_work_closes_the_circuit_when_the_platform_answers(
    hosting: Hosting, fake_teams: FakePlatform, work: Work, method: str
) -> None:
    waiting, *_ = open_circuit(hosting, fake_teams)
    later(seconds=16)

    work(hosting)

    assert (fake_teams.calls[method], connection_of(hosting).probe_at) == (1, None)
    assert sync(waiting).state == "ready"


@BACKGROUND
def test_a_failed_probe_by_background_work_makes_the_pause_longer(
    hosting: Hosting, fake_teams: FakePlatform, work: Work, method: str
) -> None:
    waiting, *_ = open_circuit(hosting, fake_teams)
    later(seconds=16)
    fake_teams.fail(method, outage())

    work(hosting)
    sync(waiting)

    assert calls(fake_teams) - fake_teams.calls["open_directory"] == 1
    assert 20 < seconds_until_the_probe(hosting) <= 30


@BACKGROUND
def test_background_work_leaves_the_probe_to_its_owner(
    hosting: Hosting, fake_teams: FakePlatform, work: Work, method: str
) -> None:
    waiting, *_ = open_circuit(hosting, fake_teams)
    later(seconds=16)
    fake_teams.during("create_meeting", lambda: work(hosting))

    sync(waiting)

    assert fake_teams.calls[method] == 0


def test_a_rematch_of_people_without_a_user_name_probes_nothing(hosting: Hosting, fake_teams: FakePlatform) -> None:
    waiting, *_ = open_circuit(hosting, fake_teams)
    later(seconds=16)
    Connection.objects.update(match_field="username")
    assert hosting.match is not None
    type(hosting.match.staff).objects.update(username="")

    rematch_sam(hosting)

    assert sync(waiting).state == "ready"


def test_people_probed_by_another_worker_do_not_keep_the_probe(
    hosting: Hosting, fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, *_ = open_circuit(hosting, fake_teams)
    later(seconds=16)
    monkeypatch.setattr(host_permission, "_claim_due_matches", lambda connection, count: [])

    ask_for_coverage(hosting)

    assert sync(waiting).state == "ready"


def test_errors_for_all_probed_people_do_not_count_as_an_answer(hosting: Hosting, fake_teams: FakePlatform) -> None:
    waiting, *_ = open_circuit(hosting, fake_teams)
    later(seconds=16)
    assert hosting.match is not None
    fake_teams.host_permission[hosting.match.remote_id] = PermissionResult(PermissionState.UNCLEAR)

    ask_for_coverage(hosting)

    assert connection_of(hosting).probe_at is not None
    # The next caller probes.
    assert sync(waiting).state == "ready"


def test_a_request_for_a_pause_is_an_answer(hosting: Hosting, fake_teams: FakePlatform) -> None:
    open_circuit(hosting, fake_teams)
    later(seconds=16)
    assert hosting.match is not None
    fake_teams.host_permission[hosting.match.remote_id] = PermissionResult(PermissionState.UNCLEAR, pause=40)

    ask_for_coverage(hosting)

    connection = connection_of(hosting)
    assert (connection.probe_at, connection.paused_until is None) == (None, False)
