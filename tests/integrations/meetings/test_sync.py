"""Sync of meetings with the platform: create, move, rename, delete and recreate, even if workers die."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.hosting.eligibility import Hosting
from integrations.meetings import requests
from integrations.meetings import sync as meeting_sync
from integrations.meetings.signals import meeting_changed
from integrations.meetings.sync import sync_meeting
from integrations.models import Connection, Meeting
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError, RemoteMeeting
from tests.integrations.fake_platform import FakePlatform, gone, outage
from tests.integrations.flaky_platform import Killed
from tests.integrations.meeting_steps import HALF_AN_HOUR, STARTS, ask, later, move, sync
from tests.messages import message

pytestmark = pytest.mark.django_db(transaction=True)


def only(fake: FakePlatform) -> RemoteMeeting:
    """Return the only remote meeting."""
    (meeting,) = fake.meetings.values()
    return meeting


def uncertain() -> PlatformError:
    return PlatformError(ErrorKind.OUTAGE, message("No answer came."), ambiguous=True)


def test_a_meeting_gets_its_link(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))

    assert (meeting.state, meeting.join_url) == ("ready", only(fake_teams).join_url)
    assert (meeting.synced_version, meeting.due_at, meeting.lease_token, meeting.attempts) == (
        1,
        None,
        None,
        0,
    )
    assert fake_teams.calls == Counter(create_meeting=1, update_meeting=1)


def test_the_link_is_stored_before_the_options_are_sent(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    seen = []
    fake_teams.during("update_meeting", lambda: seen.append(Meeting.objects.get().state))

    sync(meeting)

    assert seen == ["ready"]


def test_refused_options_leave_a_ready_meeting_with_a_warning(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.warning = message("The lobby could not be set.")

    meeting = sync(ask(hosting))

    assert (meeting.state, str(meeting.warning), meeting.due_at) == (
        "ready",
        "The lobby could not be set.",
        None,
    )


def test_a_synced_meeting_is_left_alone(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    fake_teams.calls.clear()

    sync(meeting)

    assert fake_teams.calls == Counter()


def test_an_unknown_meeting_is_ignored(hosting: Hosting, fake_teams: FakePlatform) -> None:
    sync_meeting(uuid4())

    assert fake_teams.calls == Counter()


def test_sync_refuses_to_run_inside_a_transaction(hosting: Hosting) -> None:
    meeting = ask(hosting)

    with pytest.raises(RuntimeError), transaction.atomic():
        sync_meeting(meeting.pk)


def test_a_move_and_a_new_name_keep_the_link(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    link = meeting.join_url

    move(meeting)
    requests.rename(meeting.pk, "Car loan")
    meeting.refresh_from_db()
    while_waiting = (meeting.state, meeting.join_url)
    sync(meeting)

    assert while_waiting == ("ready", link)
    assert (meeting.state, meeting.join_url, meeting.synced_version) == ("ready", link, 3)
    remote = only(fake_teams)
    assert (remote.subject, remote.starts_at) == ("Car loan", STARTS + HALF_AN_HOUR)


def test_a_cancelled_meeting_is_deleted(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))

    requests.request_cancel(meeting.pk)
    sync(meeting)

    assert (meeting.state, meeting.due_at, fake_teams.meetings) == ("cancelled", None, {})


def test_a_meeting_cancelled_before_its_claim_costs_no_call(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)

    requests.request_cancel(meeting.pk)
    sync(meeting)

    assert (meeting.state, fake_teams.calls) == ("cancelled", Counter())


def test_a_cancelled_meeting_with_an_unknown_id_is_found_and_deleted(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    meeting = ask(hosting)
    fake_teams.fail("create_meeting", Killed(), after=True)
    with pytest.raises(Killed):
        sync_meeting(meeting.pk)
    existed = len(fake_teams.meetings)

    requests.request_cancel(meeting.pk)
    later(seconds=100)
    sync(meeting)

    assert (existed, meeting.state, fake_teams.meetings) == (1, "cancelled", {})


def test_a_missing_meeting_counts_as_deleted(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    fake_teams.meetings.clear()

    requests.request_cancel(meeting.pk)
    sync(meeting)

    assert meeting.state == "cancelled"


@pytest.mark.parametrize("again", ["create_meeting", "update_meeting"])
def test_a_worker_killed_after_the_answer_leaves_exactly_one_meeting(
    hosting: Hosting, fake_teams: FakePlatform, again: str
) -> None:
    meeting = ask(hosting)
    fake_teams.fail(again, Killed(), after=True)
    with pytest.raises(Killed):
        sync_meeting(meeting.pk)
    held = sync(meeting).lease_token

    later(seconds=100)
    sync(meeting)

    assert held is not None
    assert (meeting.state, meeting.join_url, meeting.synced_version) == (
        "ready",
        only(fake_teams).join_url,
        1,
    )


def test_a_worker_killed_while_it_writes_the_outcome_leaves_exactly_one_meeting(
    hosting: Hosting, fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = ask(hosting)

    def die(*args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(meeting_sync, "write_success", die)
        with pytest.raises(Killed):
            sync_meeting(meeting.pk)
    later(seconds=100)
    sync(meeting)

    assert (meeting.state, meeting.join_url) == ("ready", only(fake_teams).join_url)


def test_a_moved_meeting_that_vanished_is_created_again(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    first = meeting.join_url
    fake_teams.meetings.clear()

    move(meeting)
    sync(meeting)

    assert (meeting.state, meeting.due_at) == ("ready", None)
    assert meeting.join_url == only(fake_teams).join_url != first
    assert only(fake_teams).starts_at == STARTS + HALF_AN_HOUR


def test_the_old_link_stays_until_the_vanished_meeting_is_created_again(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    link = meeting.join_url
    fake_teams.meetings.clear()
    fake_teams.fail("create_meeting", outage())

    move(meeting)
    sync(meeting)

    assert (meeting.state, meeting.join_url, meeting.remote_id) == ("ready", link, "")


def test_a_wrong_not_found_creates_no_second_link(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    link = meeting.join_url
    fake_teams.fail("update_meeting", gone())

    move(meeting)
    sync(meeting)

    assert (meeting.state, meeting.join_url, only(fake_teams).join_url) == ("ready", link, link)
    assert only(fake_teams).starts_at == STARTS + HALF_AN_HOUR


def test_a_new_meeting_that_is_not_found_yet_is_tried_later(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    fake_teams.fail("update_meeting", gone())

    sync(meeting)
    waiting = meeting.state, meeting.error_kind, meeting.has_failed
    later(seconds=30)
    sync(meeting)

    assert waiting == ("ready", "gone", False)
    assert (meeting.state, meeting.error_kind, meeting.due_at) == ("ready", "", None)


def test_a_meeting_recreated_by_a_killed_worker_is_deleted_by_the_cancel(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    fake_teams.meetings.clear()
    fake_teams.fail("create_meeting", Killed(), after=True)
    move(meeting)
    with pytest.raises(Killed):
        sync_meeting(meeting.pk)

    requests.request_cancel(meeting.pk)
    later(seconds=100)
    sync(meeting)

    assert (meeting.state, fake_teams.meetings) == ("cancelled", {})


def test_a_move_during_the_create_ends_with_the_new_time(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    fake_teams.during("update_meeting", lambda: move(meeting))

    after_first = sync(meeting)
    seen = after_first.state, after_first.synced_version, after_first.version
    is_due = Meeting.objects.due().filter(pk=meeting.pk).exists()
    sync(meeting)

    assert (seen, is_due) == (("ready", 1, 2), True)
    assert (meeting.synced_version, meeting.due_at) == (2, None)
    assert only(fake_teams).starts_at == STARTS + HALF_AN_HOUR


@pytest.mark.parametrize("during", ["create_meeting", "update_meeting"])
def test_a_cancel_during_the_create_leaves_no_meeting(hosting: Hosting, fake_teams: FakePlatform, during: str) -> None:
    meeting = ask(hosting)
    fake_teams.during(during, lambda: requests.request_cancel(meeting.pk))

    sync(meeting)
    shown = meeting.state
    sync(meeting)

    assert (shown, meeting.state, fake_teams.meetings) == ("cancelling", "cancelled", {})


def test_a_request_during_the_sync_sends_another_task(
    hosting: Hosting, fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = ask(hosting)
    sent: list[tuple[str, ...]] = []

    def send_each(task: str, calls: list[tuple[str]], **options: object) -> bool:
        sent.extend((task, *args) for args in calls)
        return True

    fake_teams.during("update_meeting", lambda: move(meeting))
    monkeypatch.setattr("coconut.task_queue.send_each", send_each)
    Connection.objects.update(last_success_at=timezone.now())

    sync(meeting)

    # Once for the move, which found the meeting leased, and once after the release.
    assert sent == [("integrations.sync_meeting", str(meeting.pk))] * 2


def test_a_worker_that_lost_its_lease_writes_nothing(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    newer = uuid4()

    def overtake() -> None:
        Meeting.objects.update(lease_token=newer, lease_until=timezone.now() + timedelta(minutes=1))

    fake_teams.during("create_meeting", overtake)

    sync(meeting)

    assert (meeting.lease_token, meeting.join_url, meeting.synced_version) == (newer, "", 0)
    assert fake_teams.calls == Counter(create_meeting=1)


@pytest.mark.parametrize("outcome", ["success", "failure"])
def test_a_worker_that_lost_its_lease_at_the_end_writes_no_outcome(
    hosting: Hosting, fake_teams: FakePlatform, outcome: str
) -> None:
    meeting = ask(hosting)
    newer = uuid4()
    fake_teams.during("update_meeting", lambda: Meeting.objects.update(lease_token=newer))
    if outcome == "failure":
        fake_teams.fail("update_meeting", outage(), after=True)

    sync(meeting)

    assert (meeting.lease_token, meeting.synced_version, meeting.error_kind) == (newer, 0, "")


def test_after_a_worker_died_the_meeting_is_compared_once(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    fake_teams.fail("update_meeting", Killed())
    with pytest.raises(Killed):
        sync_meeting(meeting.pk)
    later(seconds=100)
    sync(meeting)
    agreed = meeting.state, meeting.synced_version, meeting.due_at is not None
    fake_teams.calls.clear()

    later(seconds=61)
    sync(meeting)

    assert agreed == ("ready", 1, True)
    assert (fake_teams.calls, meeting.due_at, meeting.recheck_at) == (Counter(read_meeting=1), None, None)


def test_a_late_write_is_overwritten(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    move(meeting)
    fake_teams.fail("update_meeting", uncertain())
    sync(meeting)
    move(meeting, by=2 * HALF_AN_HOUR)
    sync(meeting)
    remote = only(fake_teams)
    fake_teams.meetings[remote.remote_id] = RemoteMeeting(
        remote.remote_id,
        remote.join_url,
        remote.subject,
        STARTS + HALF_AN_HOUR,
        STARTS + 2 * HALF_AN_HOUR,
        remote.attendee_ids,
    )

    later(seconds=61)
    sync(meeting)

    assert only(fake_teams).starts_at == meeting.starts_at
    assert (meeting.state, meeting.due_at) == ("ready", None)


def test_a_create_that_lands_after_the_cancel_is_deleted(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    fake_teams.fail("create_meeting", uncertain())
    sync(meeting)
    requests.request_cancel(meeting.pk)
    sync(meeting)
    fake_teams.create_meeting(meeting.connection, meeting_sync._spec_of(meeting), may_exist=True)
    orphans = len(fake_teams.meetings)

    later(seconds=61)
    sync(meeting)

    assert (orphans, fake_teams.meetings) == (1, {})
    assert (meeting.state, meeting.due_at) == ("cancelled", None)


def test_a_comparison_finds_a_vanished_meeting(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    Meeting.objects.update(recheck_at=timezone.now(), due_at=timezone.now())
    fake_teams.meetings.clear()

    later(seconds=1)
    sync(meeting)

    assert meeting.join_url == only(fake_teams).join_url


def test_an_uncertain_delete_is_only_repeated(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    fake_teams.fail("delete_meeting", uncertain(), after=True)
    requests.request_cancel(meeting.pk)
    sync(meeting)
    fake_teams.calls.clear()

    later(seconds=30)
    sync(meeting)

    assert (fake_teams.calls, meeting.state) == (Counter(delete_meeting=1), "cancelled")
    assert meeting.due_at is None


def test_meeting_changed_is_sent_for_the_link_and_for_the_end(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    heard: list[tuple[UUID, str, str]] = []

    def listen(*, meeting_id: UUID, **kwargs: Any) -> None:
        now = Meeting.objects.get(pk=meeting_id)
        heard.append((meeting_id, now.state, "synced" if now.synced_version == now.version else ""))

    meeting_changed.connect(listen)
    sync(meeting)
    meeting_changed.disconnect(listen)

    assert heard == [(meeting.pk, "ready", ""), (meeting.pk, "ready", "synced")]


def test_a_failing_receiver_does_not_stop_the_sync(hosting: Hosting, fake_teams: FakePlatform) -> None:
    def fail(**kwargs: Any) -> None:
        raise ZeroDivisionError

    meeting_changed.connect(fail)
    meeting = sync(ask(hosting))
    meeting_changed.disconnect(fail)

    assert meeting.state == "ready"


def test_a_success_is_noted_on_the_connection(hosting: Hosting) -> None:
    sync(ask(hosting))

    assert Connection.objects.get().last_success_at is not None
