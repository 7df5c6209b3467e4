"""Sync on a platform that doesn't know our key: search before creating again, and pause one host only."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.hosting.eligibility import Hosting
from integrations.matching.people import rematch_people
from integrations.meetings import requests
from integrations.meetings.sweep import sweep
from integrations.meetings.sync import _spec_of, sync_meeting
from integrations.models import Connection, HostPause, Meeting, UserMatch
from integrations.monitoring.backlog import oldest_due_seconds
from integrations.platforms.failures import ErrorKind
from integrations.platforms.registry import _platforms
from integrations.platforms.values import PlatformError
from tests.factories import make_match, make_member
from tests.integrations.fake_platform import KeylessFakePlatform
from tests.integrations.flaky_platform import Killed
from tests.integrations.meeting_steps import ask, later, make_hosting, move, sync
from tests.messages import message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> KeylessFakePlatform:
    fake = KeylessFakePlatform()
    monkeypatch.setitem(_platforms, "teams", fake)
    return fake


@pytest.fixture
def hosting(platform: KeylessFakePlatform) -> Hosting:
    return make_hosting()


@pytest.fixture
def other_hosting(hosting: Hosting) -> Hosting:
    """Tess, who hosts on the same connection."""
    assert hosting.connection is not None
    match = make_match(hosting.connection, make_member(hosting.connection.organization, "Tess Moor"))
    return Hosting(match.staff_id, hosting.connection, match)


def no_answer() -> PlatformError:
    return PlatformError(ErrorKind.OUTAGE, message("No answer came."), ambiguous=True)


def test_a_new_meeting_costs_one_request(hosting: Hosting, platform: KeylessFakePlatform) -> None:
    meeting = sync(ask(hosting))

    assert (meeting.state, meeting.due_at) == ("ready", None)
    assert platform.calls == Counter(create_meeting=1)


def test_a_create_without_an_answer_is_not_repeated_before_it_has_landed(
    hosting: Hosting, platform: KeylessFakePlatform
) -> None:
    meeting = ask(hosting)
    platform.fail("create_meeting", no_answer(), after=True)
    sync(meeting)

    later(seconds=16)
    sync(meeting)
    calls_before = Counter(platform.calls)
    is_postponed = meeting.due_at == meeting.recheck_at
    later(seconds=60)
    sync(meeting)

    assert (calls_before, is_postponed) == (Counter(create_meeting=1), True)
    assert (meeting.state, meeting.due_at, len(platform.meetings)) == ("ready", None, 1)
    assert platform.calls["create_meeting"] == 1


def test_a_create_that_never_arrived_is_repeated_after_a_search(
    hosting: Hosting, platform: KeylessFakePlatform
) -> None:
    meeting = ask(hosting)
    platform.fail("create_meeting", no_answer())
    sync(meeting)

    later(seconds=61)
    sync(meeting)

    assert (meeting.state, len(platform.meetings)) == ("ready", 1)
    assert platform.calls == Counter(create_meeting=2, list_meetings=1)


def test_a_worker_killed_after_the_create_leaves_exactly_one_meeting(
    hosting: Hosting, platform: KeylessFakePlatform
) -> None:
    meeting = ask(hosting)
    platform.fail("create_meeting", Killed(), after=True)
    with pytest.raises(Killed):
        sync_meeting(meeting.pk)

    later(seconds=100)
    sync(meeting)
    later(seconds=61)
    sync(meeting)

    assert (meeting.state, meeting.due_at, len(platform.meetings)) == ("ready", None, 1)


def test_a_cancel_never_creates_the_meeting_in_order_to_delete_it(
    hosting: Hosting, platform: KeylessFakePlatform
) -> None:
    meeting = ask(hosting)
    platform.fail("create_meeting", no_answer())
    sync(meeting)
    requests.request_cancel(meeting.pk)
    sync(meeting)
    later(seconds=61)
    sync(meeting)

    assert (meeting.state, meeting.due_at) == ("cancelled", None)
    assert platform.calls == Counter(create_meeting=1, list_meetings=2)


def test_a_create_that_lands_after_the_cancel_is_deleted(hosting: Hosting, platform: KeylessFakePlatform) -> None:
    meeting = ask(hosting)
    platform.fail("create_meeting", no_answer())
    sync(meeting)
    requests.request_cancel(meeting.pk)
    sync(meeting)
    platform.create_meeting(meeting.connection, _spec_of(meeting), may_exist=False)

    later(seconds=61)
    sync(meeting)

    assert (meeting.state, platform.meetings) == ("cancelled", {})


def test_duplicates_are_deleted_when_the_meeting_is_found(hosting: Hosting, platform: KeylessFakePlatform) -> None:
    meeting = ask(hosting)
    platform.fail("create_meeting", no_answer(), after=True)
    sync(meeting)
    platform.create_meeting(meeting.connection, _spec_of(meeting), may_exist=False)

    later(seconds=61)
    sync(meeting)

    assert list(platform.meetings) == [meeting.remote_id] == ["remote-1"]


def test_a_wrong_not_found_gives_no_second_link(hosting: Hosting, platform: KeylessFakePlatform) -> None:
    meeting = sync(ask(hosting))
    link = meeting.join_url
    platform.fail("update_meeting", PlatformError(ErrorKind.GONE, message("Not found.")))

    move(meeting)
    sync(meeting)

    assert (meeting.join_url, len(platform.meetings)) == (link, 1)


def test_the_daily_limit_of_one_host_pauses_that_host_only(
    hosting: Hosting, other_hosting: Hosting, platform: KeylessFakePlatform
) -> None:
    platform.writes_a_day = 1
    sync(ask(hosting))
    refused, waiting = sync(ask(hosting)), ask(hosting)
    platform.calls.clear()

    sync(waiting)
    other = sync(ask(other_hosting))

    assert (refused.error_kind, waiting.state, other.state) == ("throttled", "pending", "ready")
    assert platform.calls == Counter(create_meeting=1)
    assert Connection.objects.get().paused_until is None
    pause = HostPause.objects.get()
    assert pause.organizer_id == refused.organizer_id
    assert timedelta(hours=7, minutes=59) < pause.paused_until - timezone.now() <= timedelta(hours=8)


def test_the_sweep_skips_a_paused_host_and_says_why(hosting: Hosting, platform: KeylessFakePlatform) -> None:
    platform.writes_a_day = 0
    sync(ask(hosting))
    waiting = ask(hosting)
    later(seconds=61)

    swept = sweep()
    waiting.refresh_from_db()

    assert (swept, waiting.error_kind) == (0, "throttled")
    assert (Meeting.objects.due().count(), oldest_due_seconds()) == (0, 0.0)


def test_a_paused_host_resumes_after_the_pause(hosting: Hosting, platform: KeylessFakePlatform) -> None:
    platform.writes_a_day = 1
    sync(ask(hosting))
    meeting = sync(ask(hosting))
    platform.next_day()

    later(seconds=8 * 3600 + 1)
    waited = oldest_due_seconds()
    sync(meeting)

    assert (meeting.state, meeting.error_kind) == ("ready", "")
    assert waited < 30


def test_a_pending_user_is_unmatched_with_its_own_reason(hosting: Hosting, platform: KeylessFakePlatform) -> None:
    platform.invite("sam@maple.example")

    assert hosting.connection is not None
    rematch_people(hosting.connection, [hosting.staff_id])

    match = UserMatch.objects.get()
    assert (match.status, match.reason, match.remote_id) == ("unmatched", "pending", "")
