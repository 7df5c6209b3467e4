"""The sweep: tasks for due meetings, and the end of meetings that can no longer be synced."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.hosting.eligibility import Hosting
from integrations.meetings import requests
from integrations.meetings.sweep import fail_pending, sweep
from integrations.meetings.sweep_queries import find_work
from integrations.models import Connection, ConnectionStatus, Meeting
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.tasks import sweep_meetings, sync_meeting
from tests.integrations.fake_platform import FakePlatform, outage
from tests.integrations.meeting_steps import HALF_AN_HOUR, STARTS, ask, later, move, sync
from tests.messages import message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the meetings that tasks were sent for."""
    told: list[str] = []

    def send_each(task: str, calls: list[tuple[object]], **options: object) -> bool:
        told.extend(str(meeting) for (meeting,) in calls)
        return True

    monkeypatch.setattr("coconut.task_queue.send_each", send_each)
    return told


def ends(meeting: Meeting, ago: timedelta) -> None:
    now = timezone.now()
    Meeting.objects.filter(pk=meeting.pk).update(starts_at=now - ago - HALF_AN_HOUR, ends_at=now - ago)


def test_a_lost_task_is_sent_again_after_a_minute(hosting: Hosting, sent: list[str]) -> None:
    meeting = ask(hosting)
    sent.clear()

    too_early = sweep()
    later(seconds=61)
    in_time = sweep()

    assert (too_early, in_time, sent) == (0, 1, [str(meeting.pk)])
    assert sweep() == 0


def test_a_task_that_the_broker_refused_is_sent_again_at_once(
    hosting: Hosting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broker:
        broker.setattr("coconut.task_queue.send_each", lambda task, calls, **options: False)
        ask(hosting)

    assert sweep() == 1


def test_a_sweep_stops_at_a_broker_that_is_down(hosting: Hosting, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        ask(hosting)
    later(seconds=61)
    tried: list[object] = []

    def send_each(task: str, calls: list[tuple[object]], **options: object) -> bool:
        tried.append(calls)
        return False

    monkeypatch.setattr("coconut.task_queue.send_each", send_each)
    sweep()

    assert (len(tried), Meeting.objects.filter(enqueued_at=None).count()) == (1, 3)


def test_a_sweep_sends_one_batch_with_the_earliest_appointments_first(
    hosting: Hosting, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.meetings.sweep.BATCH_SIZE", 2)
    far, near, middle = (
        ask(hosting, starts_at=STARTS + days, ends_at=STARTS + days + HALF_AN_HOUR)
        for days in (timedelta(days=9), timedelta(days=1), timedelta(days=5))
    )
    later(seconds=61)
    sent.clear()

    counts = []
    for _ in range(3):
        counts.append(sweep())
        Meeting.objects.filter(pk__in=sent).update(due_at=None)

    assert counts == [2, 1, 0]
    assert sent == [str(near.pk), str(middle.pk), str(far.pk)]


def test_leased_waiting_and_synced_meetings_are_not_swept(hosting: Hosting) -> None:
    held, waiting, agreed = (ask(hosting) for _ in range(3))
    soon = timezone.now() + timedelta(minutes=1)
    Meeting.objects.filter(pk=held.pk).update(lease_token=uuid4(), lease_until=soon)
    Meeting.objects.filter(pk=waiting.pk).update(due_at=soon)
    Meeting.objects.filter(pk=agreed.pk).update(due_at=None)
    Meeting.objects.update(enqueued_at=None)

    assert sweep() == 0


def test_a_locked_row_does_not_block_the_sweep(hosting: Hosting, sent: list[str]) -> None:
    busy, free = ask(hosting), ask(hosting)
    later(seconds=61)
    sent.clear()
    other = database.copy()

    with other.cursor() as cursor:
        other.set_autocommit(False)
        cursor.execute("UPDATE integrations_meeting SET subject = 'x' WHERE id = %s", [busy.pk])
        sweep()
        other.rollback()
    other.close()

    assert sent == [str(free.pk)]


def test_a_task_sent_during_a_pause_is_sent_again_after_it(hosting: Hosting, sent: list[str]) -> None:
    Connection.objects.update(paused_until=timezone.now() + timedelta(seconds=20))
    meeting = ask(hosting)
    sent.clear()

    in_the_pause = sweep()
    later(seconds=21)
    after_it = sweep()

    assert (in_the_pause, after_it, sent) == (0, 1, [str(meeting.pk)])


def test_a_sweep_costs_the_same_queries_for_one_meeting_and_for_three(
    hosting: Hosting, sent: list[str], django_assert_num_queries: Any
) -> None:
    for more in (1, 2):
        for _ in range(more):
            ask(hosting)
        later(seconds=61)
        with django_assert_num_queries(6):
            sweep()


def test_a_sweep_without_work_costs_two_queries(
    hosting: Hosting, fake_teams: FakePlatform, django_assert_num_queries: Any
) -> None:
    sync(ask(hosting))

    with django_assert_num_queries(2):
        sweep()


def test_the_sweep_reads_only_meetings_with_open_work(hosting: Hosting) -> None:
    settled = sync(ask(hosting))
    columns = [
        field.attname for field in Meeting._meta.concrete_fields if not field.generated and not field.primary_key
    ]
    values = {column: getattr(settled, column) for column in columns}
    Meeting.objects.bulk_create(Meeting(**values) for _ in range(1000))
    with database.cursor() as cursor:
        cursor.execute("ANALYZE integrations_meeting")
    with CaptureQueriesContext(database) as queries:
        find_work()

    plans = []
    for query in queries:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute("EXPLAIN " + query["sql"].replace("%", "%%"), [])
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    assert [
        " meeting_due " in plans[0],
        " meeting_deleting " in plans[1],
    ] == [True, True]


def test_a_delete_refused_during_the_disconnect_is_ended(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    requests.request_cancel(meeting.pk)
    fake_teams.during(
        "delete_meeting",
        lambda: Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False),
    )
    fake_teams.fail("delete_meeting", PlatformError(ErrorKind.PERSON, message("No.")), after=True)
    sync(meeting)
    failed = meeting.state

    sweep()

    meeting.refresh_from_db()
    assert (failed, meeting.state) == ("failed", "cancelled")


def test_a_past_meeting_fails_without_a_call(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    ends(meeting, ago=timedelta(minutes=1))

    sync(meeting)

    assert (meeting.state, meeting.error_kind, fake_teams.calls) == ("failed", "ended", Counter())
    assert str(meeting.error) == "The appointment ended before the video platform could be told of it."


def test_a_meeting_of_a_connection_without_a_sign_in_fails_at_its_end(hosting: Hosting) -> None:
    meeting = ask(hosting)
    Connection.objects.update(status=ConnectionStatus.NEEDS_REAUTHORIZATION)
    ends(meeting, ago=timedelta(minutes=1))

    sweep()

    meeting.refresh_from_db()
    assert (meeting.state, meeting.error_kind) == ("failed", "ended")


def test_a_past_meeting_that_is_due_for_a_comparison_only_ends_without_an_error(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    Meeting.objects.update(due_at=timezone.now(), recheck_at=timezone.now())
    ends(meeting, ago=timedelta(minutes=1))

    sweep()

    meeting.refresh_from_db()
    assert (meeting.state, meeting.has_failed, meeting.due_at) == ("ready", False, None)


def test_a_past_meeting_that_is_moved_to_the_future_is_created(hosting: Hosting) -> None:
    meeting = ask(hosting)
    ends(meeting, ago=timedelta(minutes=1))
    sync(meeting)

    requests.request_move(meeting.pk, starts_at=STARTS, ends_at=STARTS + HALF_AN_HOUR)
    sync(meeting)

    assert meeting.state == "ready"


def test_a_cancelled_meeting_is_deleted_for_a_day_after_its_end(hosting: Hosting, fake_teams: FakePlatform) -> None:
    today, long_ago = sync(ask(hosting)), sync(ask(hosting))
    ends(today, ago=timedelta(hours=1))
    ends(long_ago, ago=timedelta(hours=25))
    for meeting in (today, long_ago):
        requests.request_cancel(meeting.pk)
        sync(meeting)

    assert (today.state, str(today.warning)) == ("cancelled", "")
    assert (long_ago.state, str(long_ago.warning).endswith("still has it.")) == ("cancelled", True)
    assert fake_teams.calls["delete_meeting"] == 1


def test_a_disconnect_fails_meetings_without_a_link_and_keeps_the_links(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    ready, moved, cancelled = (sync(ask(hosting)) for _ in range(3))
    pending = ask(hosting)
    move(moved)
    requests.request_cancel(cancelled.pk)
    Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)

    sweep()

    rows = [ready, moved, cancelled, pending]
    for meeting in rows:
        meeting.refresh_from_db()
    assert [meeting.state for meeting in rows] == ["ready", "ready", "cancelled", "failed"]
    assert [meeting.has_failed for meeting in rows] == [False, True, False, True]
    assert [meeting.due_at for meeting in rows] == [None] * 4
    assert str(cancelled.warning).endswith("it still has it.")


def test_a_call_in_flight_stores_its_link_after_a_disconnect(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)

    def disconnect() -> None:
        with transaction.atomic():
            Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)
            fail_pending(Connection.objects.all())

    fake_teams.during("create_meeting", disconnect)

    sync(meeting)

    assert (meeting.state, meeting.join_url != "", meeting.has_failed) == ("ready", True, False)


def test_a_cancel_and_a_disconnect_during_a_create_end_the_meeting(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)

    def cancel_and_disconnect() -> None:
        requests.request_cancel(meeting.pk)
        Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)
        fail_pending(Connection.objects.all())

    fake_teams.during("create_meeting", cancel_and_disconnect)
    sync(meeting)

    sweep()

    meeting.refresh_from_db()
    assert (meeting.state, meeting.due_at) == ("cancelled", None)


def test_failed_meetings_are_created_after_the_connection_was_revived(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    meeting = ask(hosting)
    Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)
    sweep()
    Connection.objects.update(status=ConnectionStatus.CONNECTED)

    requests.try_again(Meeting.objects.all())
    sync(meeting)

    assert meeting.state == "ready"


def test_the_tasks_call_their_functions(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", outage())
    meeting = ask(hosting)

    sync_meeting(str(meeting.pk))
    later(seconds=61)
    sweep_meetings()

    meeting.refresh_from_db()
    assert (meeting.error_kind, meeting.enqueued_at is not None) == ("outage", True)
