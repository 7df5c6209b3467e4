"""Consequences of each kind of failure for a meeting, its connection and its host."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.hosting.eligibility import Hosting
from integrations.meetings import requests
from integrations.meetings.sweep import sweep
from integrations.models import Connection, ConnectionStatus, Meeting, UserMatch
from integrations.platforms.failures import ErrorKind
from integrations.platforms.registry import _platforms
from integrations.platforms.values import MatchReason, PlatformError
from tests.factories import make_organization
from tests.integrations.fake_platform import FakePlatform, KeylessFakePlatform, outage, refused, throttled
from tests.integrations.meeting_steps import ask, later, make_hosting, move, sync
from tests.messages import message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[FakePlatform, KeylessFakePlatform])
def fake_teams(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    """Both platforms: one knows our key, the other must search."""
    fake: FakePlatform = request.param("teams")
    monkeypatch.setitem(_platforms, "teams", fake)
    return fake


def failing(kind: ErrorKind, reason: MatchReason | None = None) -> PlatformError:
    return PlatformError(kind, message("Do this, then try again."), request_id="r-1", reason=reason)


def waits(meeting: Meeting) -> float:
    """Return the seconds until the meeting is due."""
    assert meeting.due_at is not None
    return (meeting.due_at - timezone.now()).total_seconds()


@pytest.mark.parametrize("kind", [ErrorKind.OUTAGE, ErrorKind.CONNECTION, ErrorKind.OPERATOR])
def test_if_waiting_helps_the_meeting_waits_with_a_reason(
    hosting: Hosting, fake_teams: FakePlatform, kind: ErrorKind
) -> None:
    fake_teams.fail("create_meeting", failing(kind))

    meeting = sync(ask(hosting))
    shown = meeting.state, str(meeting.error), meeting.error_kind
    later(seconds=20)
    sync(meeting)

    assert shown == ("pending", "Do this, then try again.", kind)
    assert (meeting.state, str(meeting.error), meeting.error_kind) == ("ready", "", "")


def test_pauses_of_an_outage_grow_up_to_a_maximum(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", outage(), times=9)
    meeting = ask(hosting)

    longest = []
    for _ in range(9):
        longest.append(waits(sync(meeting)))
        later(seconds=1000)

    expected = [15, 30, 60, 120, 240, 480, 900, 900, 900]
    assert all(most * 0.5 - 2 <= wait <= most for wait, most in zip(longest, expected, strict=True))


def test_a_waiting_meeting_is_not_tried_early(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", outage())
    meeting = sync(ask(hosting))

    sync(meeting)

    assert fake_teams.calls == Counter(create_meeting=1)


def test_throttling_pauses_the_whole_connection(hosting: Hosting, fake_teams: FakePlatform) -> None:
    first, second = ask(hosting), ask(hosting)
    fake_teams.fail("create_meeting", throttled(seconds=40))

    sync(first)
    sync(second)
    calls_in_the_pause = dict(fake_teams.calls)
    swept = sweep()
    later(seconds=41)
    sync(second)

    assert (calls_in_the_pause, swept) == ({"create_meeting": 1}, 0)
    assert 38 <= waits(first) <= 40
    assert second.state == "ready"


def test_another_organisations_connection_is_not_paused(hosting: Hosting, fake_teams: FakePlatform) -> None:
    other = ask(make_hosting(make_organization("Cedar Bank")))
    fake_teams.fail("create_meeting", throttled())

    sync(ask(hosting))
    sync(other)

    assert other.state == "ready"


def test_a_longest_pause_is_an_hour(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", throttled(seconds=10_000_000))

    assert 3598 <= waits(sync(ask(hosting))) <= 3600


def test_throttling_without_retry_after_pauses_as_an_outage_does(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", failing(ErrorKind.THROTTLED))

    meeting = sync(ask(hosting))

    paused_until = Connection.objects.get().paused_until
    assert paused_until is not None
    assert meeting.due_at is not None
    assert abs(paused_until - meeting.due_at) < timedelta(seconds=1)


def test_the_first_success_makes_waiting_meetings_due(hosting: Hosting, fake_teams: FakePlatform) -> None:
    patient, lucky = ask(hosting), ask(hosting)
    fake_teams.fail("create_meeting", outage())
    sync(patient)

    sync(lucky)
    sync(patient)

    assert (lucky.state, patient.state) == ("ready", "ready")


def test_meetings_of_a_connection_that_needs_an_admin_wait_without_a_call(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    meeting = ask(hosting)
    Connection.objects.update(status=ConnectionStatus.NEEDS_REAUTHORIZATION)

    sync(meeting)
    sweep()
    meeting.refresh_from_db()
    shown = meeting.state, meeting.error_kind, "must be reauthorized" in str(meeting.error)
    Connection.objects.update(status=ConnectionStatus.CONNECTED)
    requests.resume_waiting(meeting.connection_id)
    sync(meeting)

    assert (shown, meeting.state) == (("pending", "connection", True), "ready")
    update = {"update_meeting": 1} if fake_teams.creates_by_key else {}
    assert fake_teams.calls == Counter(create_meeting=1, **update)


def test_the_link_stays_if_the_sign_in_is_refused_after_the_create(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    if not fake_teams.creates_by_key:
        # This platform needs no update after a create.
        move(sync(meeting))
    fake_teams.fail("update_meeting", refused())

    sync(meeting)

    assert (meeting.state, meeting.join_url != "", meeting.error_kind) == ("ready", True, "connection")


@pytest.mark.parametrize("kind", [ErrorKind.PERSON, ErrorKind.BUG])
def test_if_waiting_does_not_help_the_meeting_fails_until_try_again(
    hosting: Hosting, fake_teams: FakePlatform, kind: ErrorKind
) -> None:
    fake_teams.fail("create_meeting", failing(kind))

    meeting = sync(ask(hosting))
    shown = meeting.state, meeting.has_failed, str(meeting.error), meeting.error_request_id
    requests.try_again(Meeting.objects.all())
    sync(meeting)

    assert shown == ("failed", True, "Do this, then try again.", "r-1")
    assert (meeting.state, meeting.has_failed, meeting.error_request_id) == ("ready", False, "")


def test_a_refused_move_keeps_the_link_and_is_listed(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    link = meeting.join_url
    fake_teams.fail("update_meeting", failing(ErrorKind.PERSON))

    move(meeting)
    sync(meeting)

    assert (meeting.state, meeting.join_url, meeting.has_failed) == ("ready", link, True)
    assert Meeting.objects.failed().get() == meeting


def test_a_refused_delete_is_listed_and_can_be_tried_again(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    fake_teams.fail("delete_meeting", failing(ErrorKind.PERSON))

    requests.request_cancel(meeting.pk)
    sync(meeting)
    shown = meeting.state
    requests.try_again(Meeting.objects.all())
    sync(meeting)

    assert (shown, meeting.state, fake_teams.meetings) == ("failed", "cancelled", {})


def test_a_failed_meeting_that_is_moved_is_tried_with_the_new_time(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", failing(ErrorKind.PERSON))
    meeting = sync(ask(hosting))

    move(meeting)
    sync(meeting)

    assert (meeting.state, meeting.synced_version) == ("ready", 2)


def test_a_failure_of_an_older_version_does_not_end_the_newer_one(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    fake_teams.during("create_meeting", lambda: move(meeting))
    fake_teams.fail("create_meeting", failing(ErrorKind.BUG), after=True)

    sync(meeting)
    shown = meeting.state
    sync(meeting)

    assert (shown, meeting.state, meeting.synced_version) == ("pending", "ready", 2)


def test_a_bug_is_logged_with_the_request_id(
    hosting: Hosting, fake_teams: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    fake_teams.fail("create_meeting", failing(ErrorKind.BUG))

    meeting = sync(ask(hosting))

    (line,) = [each for each in caplog.records if each.name == "integrations.meetings.outcomes"]
    assert (line.levelno, str(meeting.pk) in line.message) == (logging.ERROR, True)
    assert line.message.endswith("request id r-1)")


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (MatchReason.NO_HOST_PERMISSION, "forbidden"),
        (MatchReason.NO_LICENCE, "forbidden"),
        (MatchReason.NOT_FOUND, "unmatched"),
        (None, "matched"),
    ],
)
def test_a_refusal_for_the_host_is_recorded_on_the_match(
    hosting: Hosting, fake_teams: FakePlatform, reason: MatchReason | None, status: str
) -> None:
    meeting = ask(hosting)
    Meeting.objects.update(organizer_id="oid-of-sam@maple.example")
    fake_teams.fail("create_meeting", failing(ErrorKind.PERSON, reason))

    sync(meeting)

    match = UserMatch.objects.get()
    assert (match.status, match.reason, match.enabled) == (status, reason or "", True)


def test_a_refusal_for_the_service_account_leaves_the_match_unchanged(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    fake_teams.fail("create_meeting", failing(ErrorKind.PERSON, MatchReason.NO_LICENCE))

    sync(ask(hosting))

    hosts_as_staff = fake_teams.hosts_as_staff(Connection.objects.get())
    assert UserMatch.objects.get().status == ("forbidden" if hosts_as_staff else "matched")


def test_after_an_uncertain_move_the_meeting_is_sent_again_and_then_compared(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    fake_teams.fail("update_meeting", PlatformError(ErrorKind.OUTAGE, message("No answer."), ambiguous=True))
    move(meeting)
    sync(meeting)
    fake_teams.calls.clear()

    later(seconds=16)
    sync(meeting)
    sent_again = Counter(fake_teams.calls)
    later(seconds=60)
    sync(meeting)

    assert sent_again == Counter(update_meeting=1)
    assert fake_teams.calls == Counter(update_meeting=1, read_meeting=1)
    assert meeting.due_at is None
