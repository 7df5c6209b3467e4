"""Meetings that we made and lost track of: left behind by a disconnect, or nobody's any more."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from integrations import hooks
from integrations.connections.disconnect import disconnect_connection
from integrations.connections.lifecycle import mark_reauthorized, revive_connection
from integrations.hosting.eligibility import Hosting
from integrations.meetings import requests
from integrations.meetings.reconciliation import reconcile
from integrations.meetings.sync import sync_meeting
from integrations.models import Connection, Finding, Meeting
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from tests.integrations.fake_platform import FakePlatform
from tests.integrations.meeting_steps import ask, later, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("abandoned", "hosting")]


class Killed(BaseException):
    """The worker is gone, at once and without a word."""


@pytest.fixture
def abandoned(monkeypatch: pytest.MonkeyPatch) -> set[UUID]:
    """Every meeting belongs to the tests, but those whose ids are put into this set."""
    ids: set[UUID] = set()

    class Tests:
        def owned(self, meeting_ids):
            return set(meeting_ids) - ids

        def repair(self, connection):
            return 0

    monkeypatch.setattr(hooks.meeting_owners, "_hooks", [Tests()])
    return ids


def leave_behind(meeting: Meeting, connection: Connection) -> None:
    requests.request_cancel(meeting.pk)
    disconnect_connection(connection, None)
    meeting.refresh_from_db()


@transaction.atomic
def revive(connection: Connection) -> None:
    revive_connection(connection, match_field="email", actor=None)


def test_a_meeting_left_behind_is_deleted_once_the_account_is_connected_again(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    leave_behind(meeting, connection)
    left = meeting.state, meeting.warning, len(fake_teams.meetings)

    revive(connection)
    sync(meeting)

    assert left == (
        "cancelled",
        "The platform was disconnected before the meeting was deleted: it still has it.",
        1,
    )
    assert (meeting.state, meeting.warning, fake_teams.meetings) == ("cancelled", "", {})
    assert list(Finding.objects.values_list("kind", flat=True)) == ["orphaned"]


def test_one_whose_id_nobody_knows_is_looked_for_by_our_key(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = ask(hosting)
    fake_teams.fail("create_meeting", Killed(), after=True)
    with pytest.raises(Killed):
        sync_meeting(meeting.pk)
    leave_behind(meeting, connection)
    existed = len(fake_teams.meetings)

    revive(connection)
    later(seconds=100)
    sync(meeting)

    assert (existed, meeting.remote_id != "", fake_teams.meetings) == (1, True, {})


def test_what_a_worker_makes_while_its_connection_goes_is_deleted_after_reviving(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = ask(hosting)
    fake_teams.during("create_meeting", lambda: leave_behind(meeting, connection))
    sync(meeting)
    existed = len(fake_teams.meetings)

    revive(connection)
    later(seconds=100)
    sync(meeting)
    later(seconds=100)
    sync(meeting)

    assert (existed, meeting.state, meeting.due_at, fake_teams.meetings) == (1, "cancelled", None, {})


def test_a_meeting_that_is_over_is_left_where_it_is(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    leave_behind(meeting, connection)
    now = timezone.now()
    Meeting.objects.update(starts_at=now - timedelta(hours=2), ends_at=now - timedelta(hours=1))

    revive(connection)

    meeting.refresh_from_db()
    assert (meeting.due_at, Finding.objects.count()) == (None, 0)


def test_reauthorizing_takes_up_what_was_left_behind(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    leave_behind(meeting, connection)
    Connection.objects.update(status="needs_reauthorization")

    mark_reauthorized(connection, None)
    sync(meeting)

    assert fake_teams.meetings == {}


def test_while_nobody_is_connected_nothing_is_taken_up(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    leave_behind(meeting, connection)

    reconcile(connection)

    meeting.refresh_from_db()
    assert (meeting.state, meeting.due_at, Finding.objects.count()) == ("cancelled", None, 0)


def test_a_meeting_that_belongs_to_nothing_any_more_is_cancelled(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform, abandoned: set[UUID]
) -> None:
    meeting, other = sync(ask(hosting)), sync(ask(hosting))
    Meeting.objects.update(created_at=timezone.now() - timedelta(hours=1))
    abandoned.add(meeting.pk)

    run = reconcile(connection)
    sync(meeting)

    assert (meeting.state, list(fake_teams.meetings)) == ("cancelled", [other.remote_id])
    assert run.repaired == 1
    assert list(Finding.objects.values_list("meeting", "sentence")) == [
        (meeting.pk, "No appointment has this meeting any more: it is cancelled.")
    ]


def test_a_meeting_that_was_asked_for_just_now_may_belong_to_what_is_being_booked(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform, abandoned: set[UUID]
) -> None:
    meeting = sync(ask(hosting))
    abandoned.add(meeting.pk)

    reconcile(connection)

    meeting.refresh_from_db()
    assert meeting.state == "ready"


def test_where_nobody_says_what_belongs_to_whom_every_meeting_stays(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(ask(hosting))
    Meeting.objects.update(created_at=timezone.now() - timedelta(hours=1))
    monkeypatch.setattr(hooks.meeting_owners, "_hooks", [])
    fake_teams.calls.clear()

    reconcile(connection)

    assert (Meeting.objects.get().state, fake_teams.calls) == ("ready", Counter())


def test_a_meeting_whose_deletion_was_refused_is_tried_again_at_night(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    fake_teams.fail("delete_meeting", PlatformError(ErrorKind.PERSON, "No policy covers Sam."))
    requests.request_cancel(meeting.pk)
    sync(meeting)
    had_failed = meeting.has_failed

    reconcile(connection)
    sync(meeting)

    assert (had_failed, meeting.state, fake_teams.meetings) == (True, "cancelled", {})
