"""Priorities of tasks in the real broker: fresh bookings go first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from celery.contrib.testing.worker import start_worker
from celery.signals import task_prerun
from django.db import transaction
from django.utils import timezone

from coconut import task_queue
from coconut.task_queue import Priority
from integrations.hosting.eligibility import Hosting
from integrations.matching import host_permission
from integrations.matching.host_permission_schedule import PROBE_TASK
from integrations.matching.rematch_runs import WORK_TASK, start_run
from integrations.matching.rematch_worker import work_on_run
from integrations.meetings import requests
from integrations.meetings.sweep import sweep
from integrations.models import Connection, Meeting, RematchRun, RematchState, RematchTrigger, UserMatch
from local_servers.processes import wait_until
from tests.factories import make_organization, make_run, make_staff
from tests.integrations.fake_platform import FakePlatform
from tests.integrations.meeting_steps import STARTS, ask, later, make_hosting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker() -> Iterator[None]:
    """An empty one."""
    _empty()
    yield
    _empty()


def _empty() -> None:
    with current_app.connection_for_write() as connection:
        channel: Any = connection.default_channel
        channel.queue_purge("celery")


def in_the_queue() -> list[tuple[str, Any]]:
    """Return the tasks in the order of a worker, as (task, first argument)."""
    tasks = []
    with current_app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        while (message := channel.basic_get("celery", no_ack=True)) is not None:
            args = message.decode()[0]
            tasks.append((message.headers["task"], args[0] if args else None))
    return tasks


@pytest.mark.usefixtures("broker")
def test_a_booking_goes_before_a_rematch_and_swept_meetings(hosting: Hosting) -> None:
    waiting = [ask(hosting, starts_at=STARTS - timedelta(days=day)) for day in (1, 3, 2)]
    later(seconds=61)
    _empty()
    assert hosting.connection is not None
    with transaction.atomic():
        run = start_run(hosting.connection, trigger=RematchTrigger.ADMIN, started_by=None)
    task_queue.send(PROBE_TASK, hosting.connection.pk)
    sweep()
    booked = ask(hosting)

    assert in_the_queue() == [
        ("integrations.sync_meeting", str(booked.pk)),
        *[("integrations.sync_meeting", str(waiting[number].pk)) for number in (1, 2, 0)],
        (WORK_TASK, run.pk),
        (PROBE_TASK, hosting.connection.pk),
    ]


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize("task", ["integrations.reconcile_everything", "integrations.count_organizers"])
def test_a_booking_goes_before_nightly_work(hosting: Hosting, task: str) -> None:
    _empty()
    task_queue.send(task)

    booked = ask(hosting)

    assert in_the_queue() == [("integrations.sync_meeting", str(booked.pk)), (task, None)]


@pytest.mark.usefixtures("broker")
def test_a_worker_runs_tasks_in_this_order(hosting: Hosting) -> None:
    started: list[str] = []

    def note(*, args: list[Any], **kwargs: Any) -> None:
        started.append(args[0])

    _empty()
    task_queue.send(WORK_TASK, 0)
    task_queue.send("integrations.sync_meeting", "5a3e1c1e-0000-4000-8000-000000000002", priority=Priority.SWEPT)
    booked = ask(hosting)
    task_prerun.connect(note)
    with start_worker(current_app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        assert wait_until(lambda: len(started) == 3, seconds=30)
    task_prerun.disconnect(note)

    booked.refresh_from_db()
    assert started == [str(booked.pk), "5a3e1c1e-0000-4000-8000-000000000002", 0]
    assert booked.state == "ready"


@pytest.mark.usefixtures("broker")
def test_a_retried_link_has_the_highest_priority(hosting: Hosting) -> None:
    failed = ask(hosting)
    Meeting.objects.update(error_kind="person", due_at=None)
    _empty()
    task_queue.send("integrations.sync_meeting", "of many", priority=Priority.SWEPT)

    requests.try_again(Meeting.objects.all())

    assert in_the_queue() == [
        ("integrations.sync_meeting", str(failed.pk)),
        ("integrations.sync_meeting", "of many"),
    ]


def test_the_sweep_adds_at_most_a_batch_to_the_waiting_tasks(hosting: Hosting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.meetings.sweep.BATCH_SIZE", 3)
    monkeypatch.setattr("coconut.task_queue.send_each", lambda *args, **options: True)
    old = [ask(hosting) for _ in range(5)]
    later(seconds=61)
    fresh = [ask(hosting) for _ in range(2)]

    first = sweep()
    second = sweep()
    Meeting.objects.filter(pk__in=[each.pk for each in fresh]).update(due_at=None)
    third = sweep()

    assert len(old) == 5
    assert (first, second, third) == (1, 0, 2)


# --- Long work yields to fresh bookings -----------------------------------------------------------
def make_unclaimed_meeting(hosting: Hosting) -> Meeting:
    """They booked a second ago, and no worker was free."""
    Connection.objects.update(last_success_at=timezone.now())
    meeting = ask(hosting)
    later(seconds=1)
    return meeting


def test_a_booking_of_this_moment_is_not_unclaimed_yet(hosting: Hosting) -> None:
    ask(hosting)

    assert not Meeting.objects.unclaimed().exists()


def test_swept_meetings_are_not_unclaimed(hosting: Hosting, sent_tasks: list[tuple[object, ...]]) -> None:
    ask(hosting)
    Meeting.objects.update(enqueued_at=None)
    sweep()
    later(seconds=1)

    assert not Meeting.objects.unclaimed().exists()


def a_long_run(hosting: Hosting, fake_teams: FakePlatform) -> RematchRun:
    assert hosting.connection is not None
    make_staff(hosting.connection.organization, 4)
    fake_teams.chunk_size = 2
    return make_run(hosting.connection, state=RematchState.RUNNING, total=5)


def test_a_rematch_yields_to_an_unclaimed_booking(
    hosting: Hosting, fake_teams: FakePlatform, sent_tasks: list[tuple[object, ...]]
) -> None:
    run = a_long_run(hosting, fake_teams)
    make_unclaimed_meeting(hosting)
    sent_tasks.clear()

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.done, run.lease_token) == (RematchState.RUNNING, 2, None)
    assert sent_tasks == [(WORK_TASK, run.pk)]


def test_a_rematch_with_all_users_loaded_does_not_yield(hosting: Hosting, fake_teams: FakePlatform) -> None:
    run = a_long_run(hosting, fake_teams)
    make_unclaimed_meeting(hosting)
    fake_teams.is_fully_loaded = True

    work_on_run(run.pk)

    run.refresh_from_db()
    assert run.state == RematchState.SUCCEEDED


def test_host_permission_probes_yield_to_an_unclaimed_booking(
    hosting: Hosting, fake_teams: FakePlatform, sent_tasks: list[tuple[object, ...]]
) -> None:
    assert hosting.connection is not None
    other = make_hosting(make_organization("Cedar Bank"))
    UserMatch.objects.update(host_permission="unknown", host_permission_due_at=timezone.now())
    UserMatch.objects.filter(pk=other.match.pk).update(connection=hosting.connection)  # type: ignore[union-attr]
    fake_teams.probe_size = 1
    make_unclaimed_meeting(hosting)
    sent_tasks.clear()

    host_permission.probe_host_permission(hosting.connection.pk)

    assert fake_teams.calls["probe_host_permission"] == 1
    assert sent_tasks == [(PROBE_TASK, hosting.connection.pk)]
