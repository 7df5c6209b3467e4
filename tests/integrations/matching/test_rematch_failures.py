"""Rematch runs survive kills, outages, refusals and simultaneous changes."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.utils import timezone

from integrations import circuit_breaker
from integrations.matching import rematch_lease
from integrations.matching.rematch_lease import resume_rematch_runs
from integrations.matching.rematch_worker import work_on_run
from integrations.models import (
    ConnectionStatus,
    MatchStatus,
    RematchRun,
    RematchState,
)
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from staff.models import StaffMember
from tests.factories import make_connection, make_match, make_member, make_organization, make_staff
from tests.integrations.fake_platform import FakePlatform, outage, refused, throttled
from tests.integrations.matching.matching_steps import make_known, start, statuses
from tests.messages import message

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The worker dies. No code catches this."""


def expire_lease(run: RematchRun) -> None:
    RematchRun.objects.filter(pk=run.pk).update(lease_until=Now() - timedelta(seconds=1))


def make_due(run: RematchRun) -> None:
    RematchRun.objects.filter(pk=run.pk).update(due_at=Now())


# --- Failures -------------------------------------------------------------------------------------


def test_a_killed_run_continues_from_its_cursor(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    people = make_staff(maple, 5)
    make_known(fake_teams, people)
    fake_teams.chunk_size = 2
    fake_teams.skip("find", 1)
    fake_teams.fail("find", Killed())
    run = start(connection)

    with pytest.raises(Killed):
        work_on_run(run.pk)
    expire_lease(run)
    work_on_run(run.pk)

    run.refresh_from_db()
    emails = [member.email for member in people]
    assert fake_teams.queried == [emails[:2], emails[2:4], emails[4:]]
    assert (run.state, run.done) == (RematchState.SUCCEEDED, 5)


def test_a_run_killed_before_its_chunk_was_written_looks_it_up_again(
    fake_teams: FakePlatform,
) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_known(fake_teams, make_staff(maple, 2))
    fake_teams.fail("find", Killed(), after=True)
    run = start(connection)

    with pytest.raises(Killed):
        work_on_run(run.pk)
    expire_lease(run)
    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.done, run.counts_after["matched"]) == (RematchState.SUCCEEDED, 2, 2)


def test_a_leased_run_is_not_claimed(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    run = start(connection)
    fake_teams.during("find", lambda: work_on_run(run.pk))

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.done, fake_teams.calls["find"]) == (1, 1)


def test_a_worker_that_lost_its_lease_writes_nothing(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    run = start(connection)

    def overtake() -> None:
        expire_lease(run)
        fake_teams.knows(sam.email)
        work_on_run(run.pk)
        fake_teams.people.clear()

    fake_teams.during("find", overtake)
    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.done) == (RematchState.SUCCEEDED, 1)
    assert statuses(connection) == {sam.email: MatchStatus.MATCHED}


def test_after_an_outage_the_run_waits_and_continues_from_the_cursor(
    fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breaker, "FIRST_PAUSE_SECONDS", 100)
    maple = make_organization()
    connection = make_connection(maple)
    make_known(fake_teams, make_staff(maple, 4))
    fake_teams.chunk_size = 2
    fake_teams.skip("find", 1)
    fake_teams.fail("find", outage())
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.done, run.attempts) == (RematchState.RUNNING, 2, 1)
    assert str(run.error) == "The fake platform cannot be reached."
    assert 70 < (run.due_at - timezone.now()).total_seconds() <= 100
    make_due(run)
    work_on_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.done, str(run.error)) == (RematchState.SUCCEEDED, 4, "")


def test_the_pauses_grow_while_the_outage_lasts(fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breaker, "FIRST_PAUSE_SECONDS", 100)
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    fake_teams.fail("find", outage(), times=3)
    run = start(connection)
    waits = []

    for _ in range(3):
        work_on_run(run.pk)
        run.refresh_from_db()
        waits.append((run.due_at - timezone.now()).total_seconds())
        make_due(run)

    assert 70 < waits[0] <= 100 < 140 < waits[1] <= 200 < 290 < waits[2] <= 400


def test_a_run_that_is_not_due_is_not_claimed(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    fake_teams.fail("find", outage())
    run = start(connection)
    work_on_run(run.pk)

    work_on_run(run.pk)

    assert fake_teams.calls["find"] == 1


def test_a_throttled_call_pauses_the_connection(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    fake_teams.fail("find", throttled(600))
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    connection.refresh_from_db()
    assert run.state == RematchState.RUNNING
    assert connection.paused_until is not None
    assert 590 < (connection.paused_until - timezone.now()).total_seconds() <= 600
    assert 590 < (run.due_at - timezone.now()).total_seconds() <= 600


def test_a_refused_sign_in_ends_the_run_and_people_keep_their_status(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam = make_member(maple)
    make_match(connection, sam)
    fake_teams.refuse("find", connection)
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    connection.refresh_from_db()
    assert (run.state, str(run.error)) == (
        RematchState.FAILED,
        "The fake platform no longer accepts the sign-in.",
    )
    assert (connection.status, str(connection.status_reason)) == (
        ConnectionStatus.NEEDS_REAUTHORIZATION,
        "The fake platform no longer accepts the sign-in.",
    )
    assert statuses(connection) == {sam.email: MatchStatus.MATCHED}


def test_refused_operator_credentials_keep_the_connection_and_postpone_the_run(
    fake_teams: FakePlatform,
) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    fake_teams.fail("open_directory", PlatformError(ErrorKind.OPERATOR, message("The client secret expired.")))
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    connection.refresh_from_db()
    assert (run.state, str(run.error)) == (RematchState.RUNNING, "The client secret expired.")
    assert connection.status == ConnectionStatus.CONNECTED


def test_an_invalid_request_ends_the_run(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    fake_teams.fail("find", PlatformError(ErrorKind.BUG, message("Report request 7."), request_id="7"))
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, str(run.error)) == (RematchState.FAILED, "Report request 7.")
    assert run.finished_at is not None


def test_a_run_on_an_unhealthy_connection_ends_without_a_call(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple, status=ConnectionStatus.NEEDS_REAUTHORIZATION)
    make_member(maple)
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, fake_teams.calls) == (RematchState.FAILED, {})
    assert str(run.error) == "Microsoft Teams is not connected. Everybody is rematched after Reauthorize."


def test_a_person_renamed_during_the_lookup_is_not_written(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    sam, sky = make_member(maple, "Sam Okafor"), make_member(maple, "Sky Ito")
    make_known(fake_teams, [sam, sky])
    fake_teams.during("find", lambda: StaffMember.objects.filter(pk=sam.pk).update(email="new@maple.example"))

    run = start(connection)
    work_on_run(run.pk)

    run.refresh_from_db()
    assert statuses(connection) == {sky.email: MatchStatus.MATCHED}
    assert (run.state, run.done) == (RematchState.SUCCEEDED, 2)


def test_a_long_run_continues_in_the_next_task(
    fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch, sent_tasks: list[tuple[object, ...]]
) -> None:
    monkeypatch.setattr(rematch_lease, "RUN_LEASE_DURATION", timedelta(0))
    maple = make_organization()
    connection = make_connection(maple)
    make_known(fake_teams, make_staff(maple, 4))
    fake_teams.chunk_size = 2
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.done, run.lease_token) == (RematchState.RUNNING, 2, None)
    assert sent_tasks == [("integrations.work_on_rematch_run", run.pk)]


def test_beat_enqueues_only_due_runs(fake_teams: FakePlatform, sent_tasks: list[tuple[object, ...]]) -> None:
    due = start(make_connection(make_organization()))
    paused = make_connection(make_organization("Cedar Bank"), paused_until=timezone.now() + timedelta(minutes=1))
    start(paused)
    held = start(make_connection(make_organization("Birch Bank")))
    RematchRun.objects.filter(pk=held.pk).update(lease_until=Now() + timedelta(minutes=1))

    assert resume_rematch_runs() == 1
    assert sent_tasks == [("integrations.work_on_rematch_run", due.pk)]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_share_no_work(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_known(fake_teams, make_staff(maple, 20))
    fake_teams.chunk_size = 2
    run = start(connection)
    together = Barrier(4)

    def work() -> None:
        together.wait()
        work_on_run(run.pk)
        database.close()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    run.refresh_from_db()
    assert (run.state, run.done) == (RematchState.SUCCEEDED, 20)
    assert fake_teams.calls == {"open_directory": 1, "find": 10}


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_start_at_once_start_one_run(fake_teams: FakePlatform) -> None:
    connection = make_connection(make_organization())
    together = Barrier(4)
    runs: list[int] = []

    def begin() -> None:
        together.wait()
        runs.append(start(connection).pk)
        database.close()

    admins = [Thread(target=begin) for _ in range(4)]
    for admin in admins:
        admin.start()
    for admin in admins:
        admin.join()

    assert (len(runs), len(set(runs))) == (4, 1)


def test_a_run_continues_later_if_the_sign_in_was_renewed_meanwhile(fake_teams: FakePlatform) -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple)
    fake_teams.fail("find", refused())
    run = start(connection)

    work_on_run(run.pk)

    run.refresh_from_db()
    connection.refresh_from_db()
    assert (run.state, run.attempts) == (RematchState.RUNNING, 1)
    assert connection.status == ConnectionStatus.CONNECTED
