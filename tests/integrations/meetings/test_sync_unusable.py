"""Answers that can't be used: the request is repeated a few times, and then the meeting fails with a reason."""

from __future__ import annotations

import pytest
from django.utils import timezone

from integrations.hosting.eligibility import Hosting
from integrations.meetings import requests
from integrations.models import Connection, Meeting
from integrations.platforms.failures import MOST_UNUSABLE_ANSWERS, ErrorKind
from integrations.platforms.values import PlatformError
from tests.integrations.fake_platform import FakePlatform, outage
from tests.integrations.meeting_steps import ask, later, move, sync
from tests.messages import message

pytestmark = pytest.mark.django_db(transaction=True)


def unusable() -> PlatformError:
    return PlatformError(ErrorKind.UNUSABLE, message("Not what was asked for."), request_id="r-1", ambiguous=True)


def sync_often(meeting: Meeting, times: int) -> list[float]:
    """Sync the meeting again and again, and return the seconds that it waited after each attempt."""
    waits = []
    for _ in range(times):
        sync(meeting)
        waits.append((meeting.due_at - timezone.now()).total_seconds() if meeting.due_at else 0.0)
        later(seconds=1000)
    return waits


def test_a_create_without_a_usable_answer_is_repeated_with_growing_pauses(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    fake_teams.fail("create_meeting", unusable(), times=3)
    meeting = ask(hosting)

    waits = sync_often(meeting, times=3)
    shown = meeting.state, meeting.join_url, str(meeting.error)
    sync(meeting)

    assert all(most * 0.5 - 2 <= wait <= most for wait, most in zip(waits, (15, 30, 60), strict=True))
    assert shown == ("pending", "", "Not what was asked for.")
    assert (meeting.state, meeting.join_url != "", meeting.unusable_answers) == ("ready", True, 0)


def test_after_several_unusable_answers_in_a_row_the_meeting_fails_with_a_reason(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    fake_teams.fail("create_meeting", unusable(), times=MOST_UNUSABLE_ANSWERS)
    meeting = ask(hosting)

    sync_often(meeting, times=MOST_UNUSABLE_ANSWERS)

    assert (meeting.state, meeting.error_kind, meeting.error_request_id) == ("failed", ErrorKind.UNUSABLE, "r-1")
    assert f"answered {MOST_UNUSABLE_ANSWERS} times in a row" in str(meeting.error)


def test_try_again_starts_a_new_count(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", unusable(), times=MOST_UNUSABLE_ANSWERS + 1)
    meeting = ask(hosting)
    sync_often(meeting, times=MOST_UNUSABLE_ANSWERS)

    requests.try_again(Meeting.objects.all())
    sync_often(meeting, times=1)
    shown = meeting.state
    sync(meeting)

    assert (shown, meeting.state) == ("pending", "ready")


def test_an_outage_before_it_does_not_shorten_the_count(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", outage(), times=MOST_UNUSABLE_ANSWERS)
    fake_teams.fail("create_meeting", unusable())
    meeting = ask(hosting)

    sync_often(meeting, times=MOST_UNUSABLE_ANSWERS + 1)

    assert (meeting.state, meeting.unusable_answers) == ("pending", 1)


@pytest.mark.parametrize("method", ["update_meeting", "delete_meeting"])
def test_a_change_without_a_usable_answer_is_repeated(hosting: Hosting, fake_teams: FakePlatform, method: str) -> None:
    meeting = sync(ask(hosting))
    fake_teams.fail(method, unusable(), times=2)
    if method == "update_meeting":
        move(meeting)
    else:
        requests.request_cancel(meeting.pk)

    sync_often(meeting, times=4)

    assert meeting.synced_version == meeting.version
    assert (meeting.error_kind, meeting.due_at) == ("", None)


def test_a_refused_deletion_is_listed_after_several_unusable_answers(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    fake_teams.fail("delete_meeting", unusable(), times=MOST_UNUSABLE_ANSWERS)
    requests.request_cancel(meeting.pk)

    sync_often(meeting, times=MOST_UNUSABLE_ANSWERS)

    assert (meeting.state, list(Meeting.objects.failed())) == ("failed", [meeting])


def test_a_success_of_another_meeting_does_not_use_up_the_attempts(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", unusable())
    odd, lucky = ask(hosting), ask(hosting)
    sync(odd)

    sync(lucky)
    sync(odd)

    assert (lucky.state, odd.state, odd.attempts) == ("ready", "pending", 1)


def test_unusable_answers_of_several_meetings_stop_no_other(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", unusable(), times=4)
    for _ in range(4):
        sync(ask(hosting))

    lucky = sync(ask(hosting))

    connection = Connection.objects.get()
    assert (lucky.state, connection.probe_at, connection.consecutive_failures) == ("ready", None, [])
