"""A sync that raises an unexpected exception costs only its own meeting, and after a few crashes the meeting fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError
from django.test import Client as Browser
from django.urls import reverse

from integrations.hosting.eligibility import Hosting
from integrations.meetings import requests
from integrations.meetings.outcomes import MOST_CRASHES
from integrations.meetings.sweep import sweep
from integrations.models import Connection, DesiredState, Meeting
from integrations.platforms.failures import ErrorKind
from integrations.tasks import sync_meeting
from tests.integrations.fake_platform import FakePlatform, outage
from tests.integrations.flaky_platform import Killed
from tests.integrations.meeting_steps import HALF_AN_HOUR, STARTS, ask, later, move, sync
from tests.integrations.pages import messages_of, page_text

pytestmark = pytest.mark.django_db(transaction=True)

ALWAYS = 1000


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that runs the tasks of a sweep, one after another as a worker does."""
    queue: list[str] = []

    def send_each(task: str, calls: list[tuple[object]], **options: Any) -> bool:
        queue.extend(str(meeting) for (meeting,) in calls)
        return True

    monkeypatch.setattr("coconut.task_queue.send_each", send_each)

    def sweep_and_sync() -> None:
        queue.clear()
        sweep()
        for meeting_id in queue:
            sync_meeting(meeting_id)

    return sweep_and_sync


def crash_until_failed(fake_teams: FakePlatform, meeting: Meeting, method: str = "create_meeting") -> None:
    fake_teams.fail(method, KeyError("id"), times=MOST_CRASHES)
    for _ in range(MOST_CRASHES):
        later(seconds=1000)
        sync(meeting)


def poison(meeting: Meeting) -> None:
    """Make the row impossible to sync."""
    Meeting.objects.filter(pk=meeting.pk).update(attendees=[{"unexpected": "key"}])


def test_a_poisoned_meeting_fails_with_a_reason_and_all_others_are_synced(
    hosting: Hosting, worker: Callable[[], None]
) -> None:
    first, poisoned, last = (
        ask(hosting, starts_at=STARTS + number * HALF_AN_HOUR, ends_at=STARTS + (number + 1) * HALF_AN_HOUR)
        for number in range(3)
    )
    poison(poisoned)

    for _ in range(MOST_CRASHES + 1):
        later(seconds=1000)
        worker()

    for meeting in (first, poisoned, last):
        meeting.refresh_from_db()
    assert (first.state, last.state) == ("ready", "ready")
    assert (poisoned.state, poisoned.error_kind, poisoned.has_failed) == ("failed", ErrorKind.BUG, True)
    assert "Try again" in str(poisoned.error)
    assert str(poisoned.pk) in str(poisoned.error)


def test_after_a_crash_the_meeting_waits_with_growing_pauses_and_a_reason(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    meeting = ask(hosting)
    fake_teams.fail("create_meeting", KeyError("id"), times=2)

    sync(meeting)
    too_early = sync(meeting).crashes
    reason = str(meeting.error)
    later(seconds=16)
    sync(meeting)
    later(seconds=14)
    still_too_early = sync(meeting).crashes
    later(seconds=17)
    sync(meeting)

    assert (too_early, still_too_early) == (1, 2)
    assert "tries again automatically" in reason
    assert (meeting.state, meeting.error_kind, meeting.crashes) == ("ready", "", 0)


def test_the_exception_is_logged_with_the_meetings_key(
    hosting: Hosting, fake_teams: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    fake_teams.fail("create_meeting", KeyError("id"))
    meeting = sync(ask(hosting))

    [record] = [record for record in caplog.records if record.exc_info]
    assert record.levelno == logging.ERROR
    assert str(meeting.pk) in record.getMessage()


def test_outages_before_a_crash_do_not_count(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", outage(), times=MOST_CRASHES)
    fake_teams.fail("create_meeting", KeyError("id"))
    meeting = ask(hosting)

    for _ in range(MOST_CRASHES + 1):
        sync(meeting)
        later(seconds=1000)

    assert (meeting.state, meeting.crashes) == ("pending", 1)


@pytest.mark.parametrize("failure", [SoftTimeLimitExceeded(), OperationalError("The server is gone."), SystemExit()])
def test_a_failure_of_the_system_is_raised_and_does_not_count(
    hosting: Hosting, fake_teams: FakePlatform, failure: BaseException
) -> None:
    meeting = ask(hosting)
    fake_teams.fail("create_meeting", failure)

    with pytest.raises(type(failure)):
        sync(meeting)
    meeting.refresh_from_db()

    assert (meeting.crashes, meeting.error_kind) == (0, "")
    assert meeting.lease_token is not None
    later(seconds=91)
    assert sync(meeting).state == "ready"


def test_a_killed_worker_costs_only_its_lease(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    fake_teams.fail("create_meeting", Killed(), times=MOST_CRASHES + 1)

    for _ in range(MOST_CRASHES + 1):
        with pytest.raises(Killed):
            sync(meeting)
        later(seconds=91)

    assert (sync(meeting).state, meeting.crashes) == ("ready", 0)


def test_a_change_starts_over(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    crash_until_failed(fake_teams, meeting)
    fake_teams.fail("create_meeting", KeyError("id"))

    move(meeting)
    sync(meeting)
    after_one_more = meeting.state, meeting.crashes
    later(seconds=16)
    sync(meeting)

    assert after_one_more == ("pending", 1)
    assert (meeting.state, fake_teams.meetings[meeting.remote_id].starts_at) == ("ready", STARTS + HALF_AN_HOUR)


def test_a_change_during_the_crash_starts_over(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    fake_teams.fail("create_meeting", KeyError("id"), times=MOST_CRASHES - 1)
    for _ in range(MOST_CRASHES - 1):
        sync(meeting)
        later(seconds=1000)

    def move_and_crash() -> None:
        move(meeting)
        raise KeyError("id")

    fake_teams.during("create_meeting", move_and_crash)
    sync(meeting)
    after_the_crash = meeting.state, meeting.crashes

    assert after_the_crash == ("pending", 0)
    assert sync(meeting).state == "ready"


def test_a_crash_after_the_platform_has_made_the_meeting_makes_no_second_one(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    meeting = ask(hosting)
    fake_teams.fail("create_meeting", KeyError("joinUrl"), after=True)

    sync(meeting)
    later(seconds=16)
    sync(meeting)

    assert (meeting.state, len(fake_teams.meetings)) == ("ready", 1)


def test_a_link_that_works_stays_when_a_change_crashes(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    move(meeting)
    crash_until_failed(fake_teams, meeting, "update_meeting")

    assert (meeting.state, meeting.has_failed) == ("ready", True)
    assert "link still works" in str(meeting.error)


def test_a_deletion_that_crashes_fails_and_a_new_try_deletes(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    requests.request_cancel(meeting.pk)
    crash_until_failed(fake_teams, meeting, "delete_meeting")
    failed = meeting.state, meeting.desired_state

    requests.try_again(Meeting.objects.all())
    sync(meeting)

    assert failed == ("failed", DesiredState.ABSENT)
    assert fake_teams.meetings == {}


def test_a_crash_of_the_probe_lets_another_meeting_probe_at_once(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meetings = [ask(hosting) for _ in range(4)]
    fake_teams.fail("create_meeting", outage(), times=3)
    for meeting in meetings[:3]:
        sync(meeting)
    later(seconds=1000)
    fake_teams.fail("create_meeting", KeyError("id"))

    sync(meetings[0])
    sync(meetings[3])

    assert (meetings[0].crashes, meetings[3].state) == (1, "ready")
    assert Connection.objects.get().probe_at is None


def test_a_meeting_that_crashed_is_listed_and_try_again_starts_over(
    hosting: Hosting, fake_teams: FakePlatform, connection: Connection, browser: Browser
) -> None:
    meeting = ask(hosting)
    crash_until_failed(fake_teams, meeting)

    health = page_text(browser.get(reverse("connection-health", args=[connection.pk])))
    said = messages_of(browser.post(reverse("connection-try-again", args=[connection.pk]), {"meeting": meeting.pk}))
    meeting.refresh_from_db()
    crashes = meeting.crashes
    sync(meeting)

    listed = health.split("Failed links")[1].split("History")[0]
    assert f"contact support with the code {meeting.pk}" in listed
    assert said == ["1 link is being tried again."]
    assert (crashes, meeting.state) == (0, "ready")
