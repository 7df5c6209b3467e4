"""Concurrent workers and requests, in threads with their own database connections."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection as database

from integrations.hosting.eligibility import Hosting
from integrations.meetings import requests
from integrations.meetings.sweep import sweep
from integrations.meetings.sync import sync_meeting
from integrations.models import Meeting
from tests.integrations.concurrency import at_once
from tests.integrations.fake_platform import FakePlatform
from tests.integrations.meeting_steps import HALF_AN_HOUR, STARTS, ask, move, sync

pytestmark = pytest.mark.django_db(transaction=True)


def test_concurrent_workers_create_one_meeting(hosting: Hosting, fake_teams: FakePlatform) -> None:
    for _ in range(10):
        meeting = ask(hosting)

        at_once(*[lambda: sync_meeting(meeting.pk)] * 6)  # noqa: B023 - awaited within the loop

    assert fake_teams.calls == Counter(create_meeting=10, update_meeting=10)
    assert Meeting.objects.filter(state="ready", due_at=None).count() == 10


def test_a_second_worker_skips_a_claimed_meeting(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    being_made, second_is_done = Event(), Event()

    def wait_for_the_second() -> None:
        being_made.set()
        assert second_is_done.wait(timeout=10)

    def second() -> None:
        assert being_made.wait(timeout=10)
        sync_meeting(meeting.pk)
        second_is_done.set()

    fake_teams.during("create_meeting", wait_for_the_second)
    at_once(lambda: sync_meeting(meeting.pk), second)

    assert fake_teams.calls == Counter(create_meeting=1, update_meeting=1)


def test_moves_during_the_sync_end_with_the_last_one(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)

    def move_often() -> None:
        for step in range(1, 21):
            at = STARTS + step * HALF_AN_HOUR
            requests.request_move(meeting.pk, starts_at=at, ends_at=at + HALF_AN_HOUR)

    def work_often() -> None:
        for _ in range(30):
            sync_meeting(meeting.pk)

    at_once(move_often, work_often, work_often)
    sync(meeting)

    (remote,) = fake_teams.meetings.values()
    assert remote.starts_at == meeting.starts_at == STARTS + 20 * HALF_AN_HOUR
    assert (meeting.version, meeting.synced_version, meeting.due_at) == (21, 21, None)


def test_a_cancel_during_the_sync_leaves_no_meeting(hosting: Hosting, fake_teams: FakePlatform) -> None:
    asked = [ask(hosting) for _ in range(20)]

    for meeting in asked:
        at_once(
            lambda: sync_meeting(meeting.pk),  # noqa: B023 - awaited within the loop
            lambda: requests.request_cancel(meeting.pk),  # noqa: B023
        )
        sync(meeting)

    assert [meeting.state for meeting in asked] == ["cancelled"] * 20
    assert fake_teams.meetings == {}


def test_concurrent_sweeps_send_one_task_for_each_meeting(
    hosting: Hosting, fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []

    def send_each(task: str, calls: list[tuple[object]], **options: object) -> bool:
        told.extend(meeting for (meeting,) in calls)
        return True

    monkeypatch.setattr("coconut.task_queue.send_each", send_each)
    asked = {str(ask(hosting).pk) for _ in range(20)}
    Meeting.objects.update(enqueued_at=None)
    told.clear()

    at_once(*[sweep] * 4)

    assert sorted(map(str, told)) == sorted(asked)


def test_a_request_never_waits_for_the_platform(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    moved = []

    def move_meanwhile() -> None:
        """Move the meeting. This would hang if the worker held a row lock during its call."""
        with ThreadPoolExecutor(1) as thread:
            thread.submit(_move_and_close, meeting).result(timeout=5)
        moved.append(Meeting.objects.get().version)

    fake_teams.during("create_meeting", move_meanwhile)
    sync(meeting)

    assert moved == [2]


def _move_and_close(meeting: Meeting) -> None:
    move(meeting)
    database.close()
