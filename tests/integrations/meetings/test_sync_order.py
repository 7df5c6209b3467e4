"""Repeated and reordered tasks, wrong clocks, and two changes at the same time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from integrations.connections.disconnect import disconnect_connection
from integrations.connections.lifecycle import revive_connection
from integrations.hosting.eligibility import Hosting
from integrations.meetings import requests
from integrations.meetings import sync as meeting_sync
from integrations.meetings.sweep import sweep
from integrations.models import Connection, Meeting, UserMatch
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.tasks import sync_meeting
from tests.factories import make_match, make_member
from tests.integrations.fake_platform import FakePlatform, outage, throttled
from tests.integrations.meeting_steps import HALF_AN_HOUR, STARTS, ask, later, move, sync
from tests.messages import message

pytestmark = pytest.mark.django_db(transaction=True)

WRONG_CLOCKS = pytest.mark.parametrize("wrong", [timedelta(minutes=5), timedelta(minutes=-5)])


def organizer_of_each(connection: Connection, match: UserMatch) -> str:
    """Make each host the organizer of their own meetings."""
    return match.remote_id


def test_a_task_delivered_three_times_syncs_once(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)

    for _ in range(3):
        sync_meeting(str(meeting.pk))

    assert fake_teams.calls == Counter(create_meeting=1, update_meeting=1)


def test_a_task_delivered_again_during_the_sync_does_nothing(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    for method in ("create_meeting", "update_meeting"):
        fake_teams.during(method, lambda: sync_meeting(str(meeting.pk)))

    sync_meeting(str(meeting.pk))

    assert fake_teams.calls == Counter(create_meeting=1, update_meeting=1)


def test_a_move_before_the_create_needs_no_second_call(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    move(meeting)

    sync_meeting(str(meeting.pk))
    sync_meeting(str(meeting.pk))

    (remote,) = fake_teams.meetings.values()
    assert remote.starts_at == STARTS + HALF_AN_HOUR
    assert fake_teams.calls == Counter(create_meeting=1, update_meeting=1)


def test_repeated_cancels_before_the_create_cost_no_call(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    requests.request_cancel(meeting.pk)

    for _ in range(3):
        sync(meeting)

    assert (meeting.state, fake_teams.calls) == ("cancelled", Counter())


@pytest.mark.parametrize("keeps_organizer", [True, False])
def test_a_reassignment_during_a_move_ends_with_the_new_host_at_the_new_time(
    hosting: Hosting, fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch, keeps_organizer: bool
) -> None:
    assert hosting.connection is not None
    if not keeps_organizer:
        monkeypatch.setattr(fake_teams, "organizer_id", organizer_of_each)
    meeting = sync(ask(hosting))
    tess = make_match(hosting.connection, make_member(hosting.connection.organization, "Tess Moor"))
    to = Hosting(tess.staff_id, hosting.connection, tess)
    times = {"starts_at": STARTS + HALF_AN_HOUR, "ends_at": STARTS + 2 * HALF_AN_HOUR}
    taken_over: list[Meeting] = []

    def reassign() -> None:
        now = Meeting.objects.get(pk=meeting.pk)
        taken_over.append(requests.hand_over(now, host=tess.staff, hosting=to, **times))

    fake_teams.during("update_meeting", reassign)
    move(meeting)
    for each in [meeting, meeting, *taken_over]:
        sync(each)
    sync(taken_over[0])

    (remote,) = fake_teams.meetings.values()
    assert (taken_over[0].pk == meeting.pk, taken_over[0].state) == (keeps_organizer, "ready")
    assert (remote.starts_at, set(remote.attendee_ids)) == (STARTS + HALF_AN_HOUR, {tess.remote_id})
    assert Meeting.objects.filter(due_at__isnull=False).count() == 0


@pytest.mark.parametrize("fate", ["answered", "no answer", "refused"])
def test_a_disconnect_during_the_create_ends_the_meeting(hosting: Hosting, fake_teams: FakePlatform, fate: str) -> None:
    meeting = ask(hosting)
    fake_teams.during("create_meeting", lambda: disconnect_connection(Connection.objects.get(), None))
    if fate != "answered":
        kind = ErrorKind.OUTAGE if fate == "no answer" else ErrorKind.PERSON
        fake_teams.fail("create_meeting", PlatformError(kind, message("No."), ambiguous=True), after=True)

    sync(meeting)
    later(seconds=100)
    sweep()

    meeting.refresh_from_db()
    assert meeting.state == ("ready" if fate == "answered" else "failed")
    assert (meeting.due_at, meeting.lease_token, bool(meeting.join_url)) == (None, None, fate == "answered")


def connect_again() -> None:
    with transaction.atomic():
        revive_connection(Connection.objects.get(), match_field="email", actor=None)


def test_a_write_that_lands_after_the_disconnect_is_overwritten_after_the_reconnect(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    move(meeting)
    fake_teams.fail("update_meeting", PlatformError(ErrorKind.OUTAGE, message("No answer."), ambiguous=True))
    sync(meeting)
    move(meeting, by=2 * HALF_AN_HOUR)
    sync(meeting)
    disconnect_connection(Connection.objects.get(), None)
    ended = meeting.state, Meeting.objects.filter(due_at__isnull=False).count()
    remote = fake_teams.meetings[meeting.remote_id]
    fake_teams.meetings[meeting.remote_id] = replace(remote, starts_at=STARTS + HALF_AN_HOUR)

    connect_again()
    later(seconds=61)
    sync(meeting)

    assert ended == ("ready", 0)
    assert fake_teams.meetings[meeting.remote_id].starts_at == meeting.starts_at
    assert (meeting.due_at, meeting.recheck_at) == (None, None)


def cancelled_without_an_answer(hosting: Hosting, fake_teams: FakePlatform) -> Meeting:
    """Return a meeting that was cancelled while the outcome of its create was unknown."""
    meeting = ask(hosting)
    fake_teams.fail("create_meeting", PlatformError(ErrorKind.OUTAGE, message("No answer."), ambiguous=True))
    sync(meeting)
    requests.request_cancel(meeting.pk)
    return meeting


def create_lands(meeting: Meeting, fake_teams: FakePlatform) -> None:
    fake_teams.create_meeting(Connection.objects.get(), meeting_sync._spec_of(meeting), may_exist=True)


def test_a_create_that_lands_after_the_delete_at_the_reconnect_is_deleted(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    meeting = cancelled_without_an_answer(hosting, fake_teams)
    disconnect_connection(Connection.objects.get(), None)
    connect_again()
    sync(meeting)

    create_lands(meeting, fake_teams)
    later(seconds=61)
    sync(meeting)

    assert fake_teams.meetings == {}
    assert (meeting.state, meeting.due_at, meeting.recheck_at) == ("cancelled", None, None)


def test_a_create_that_lands_after_the_disconnect_leaves_a_warning_and_is_deleted_at_the_reconnect(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    meeting = sync(cancelled_without_an_answer(hosting, fake_teams))
    disconnect_connection(Connection.objects.get(), None)
    create_lands(meeting, fake_teams)
    meeting.refresh_from_db()
    said = str(meeting.warning)

    connect_again()
    sync(meeting)
    later(seconds=61)
    sync(meeting)

    assert said == (
        "The platform was disconnected before it was certain that the meeting was deleted: it may still have it."
    )
    assert fake_teams.meetings == {}
    assert (meeting.state, str(meeting.warning), meeting.due_at) == ("cancelled", "", None)


# --- A clock that is wrong ------------------------------------------------------------------------------
@WRONG_CLOCKS
def test_a_worker_with_a_wrong_clock_does_not_take_a_lease(
    hosting: Hosting, fake_teams: FakePlatform, wrong: timedelta
) -> None:
    meeting = ask(hosting)
    seen: list[int] = []

    def another_worker() -> None:
        with time_machine.travel(timezone.now() + wrong):
            meeting_sync.sync_meeting(meeting.pk)
            seen.append(sweep())

    fake_teams.during("create_meeting", another_worker)
    sync(meeting)

    assert (seen, fake_teams.calls) == ([0], Counter(create_meeting=1, update_meeting=1))


@WRONG_CLOCKS
def test_a_wrong_clock_does_not_change_pauses(hosting: Hosting, fake_teams: FakePlatform, wrong: timedelta) -> None:
    fake_teams.fail("create_meeting", outage())
    fake_teams.fail("create_meeting", throttled(40))
    with time_machine.travel(timezone.now() + wrong):
        first, second = sync(ask(hosting)), sync(ask(hosting))

    now = timezone.now()
    paused_until = Connection.objects.get().paused_until
    assert first.due_at is not None
    assert second.due_at is not None
    assert paused_until is not None
    assert timedelta(0) < first.due_at - now <= timedelta(seconds=15)
    assert timedelta(seconds=20) < paused_until - now <= timedelta(seconds=40)
    assert abs(second.due_at - paused_until) < timedelta(seconds=1)


@WRONG_CLOCKS
def test_a_request_from_a_machine_with_a_wrong_clock_is_due_at_once(
    hosting: Hosting, fake_teams: FakePlatform, wrong: timedelta
) -> None:
    with time_machine.travel(timezone.now() + wrong):
        meeting = ask(hosting)
        move(meeting)

    assert sync(meeting).state == "ready"


@WRONG_CLOCKS
def test_the_databases_clock_decides_when_an_appointment_is_over(
    hosting: Hosting, fake_teams: FakePlatform, wrong: timedelta
) -> None:
    ends = timezone.now() + timedelta(minutes=2)
    meeting = ask(hosting, starts_at=ends - HALF_AN_HOUR, ends_at=ends)

    with time_machine.travel(timezone.now() + wrong):
        sync(meeting)

    assert meeting.state == "ready"
