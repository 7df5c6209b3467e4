"""Orphaned meetings, given up at a disconnect, and unowned meetings."""

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
from tests.integrations.flaky_platform import Killed
from tests.integrations.meeting_steps import ask, later, sync
from tests.messages import message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("unowned", "hosting")]


def orphan(meeting: Meeting, connection: Connection) -> None:
    requests.request_cancel(meeting.pk)
    disconnect_connection(connection, None)
    meeting.refresh_from_db()


@transaction.atomic
def revive(connection: Connection) -> None:
    revive_connection(connection, match_field="email", actor=None)


def test_an_orphaned_meeting_is_deleted_after_the_account_is_connected_again(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    orphan(meeting, connection)
    left = meeting.state, str(meeting.warning), len(fake_teams.meetings)

    revive(connection)
    sync(meeting)

    assert left == (
        "cancelled",
        "The platform was disconnected before the meeting was deleted: it still has it.",
        1,
    )
    assert (meeting.state, str(meeting.warning), fake_teams.meetings) == ("cancelled", "", {})
    assert list(Finding.objects.values_list("kind", flat=True)) == ["orphaned"]


def test_an_orphaned_meeting_with_an_unknown_id_is_found_by_our_key(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = ask(hosting)
    fake_teams.fail("create_meeting", Killed(), after=True)
    with pytest.raises(Killed):
        sync_meeting(meeting.pk)
    orphan(meeting, connection)
    existed = len(fake_teams.meetings)

    revive(connection)
    later(seconds=100)
    sync(meeting)

    assert (existed, meeting.remote_id != "", fake_teams.meetings) == (1, True, {})


def test_a_meeting_created_during_the_disconnect_is_deleted_after_the_revival(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = ask(hosting)
    fake_teams.during("create_meeting", lambda: orphan(meeting, connection))
    sync(meeting)
    existed = len(fake_teams.meetings)

    revive(connection)
    later(seconds=100)
    sync(meeting)
    later(seconds=100)
    sync(meeting)

    assert (existed, meeting.state, meeting.due_at, fake_teams.meetings) == (1, "cancelled", None, {})


def test_a_past_meeting_stays_orphaned(hosting: Hosting, connection: Connection, fake_teams: FakePlatform) -> None:
    meeting = sync(ask(hosting))
    orphan(meeting, connection)
    now = timezone.now()
    Meeting.objects.update(starts_at=now - timedelta(hours=2), ends_at=now - timedelta(hours=1))

    revive(connection)

    meeting.refresh_from_db()
    assert (meeting.due_at, Finding.objects.count()) == (None, 0)


def test_reauthorize_resumes_orphaned_meetings(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    orphan(meeting, connection)
    Connection.objects.update(status="needs_reauthorization")

    mark_reauthorized(connection, None)
    sync(meeting)

    assert fake_teams.meetings == {}


def test_nothing_is_resumed_while_disconnected(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    orphan(meeting, connection)

    reconcile(connection)

    meeting.refresh_from_db()
    assert (meeting.state, meeting.due_at, Finding.objects.count()) == ("cancelled", None, 0)


def test_an_unowned_meeting_is_cancelled(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform, unowned: set[UUID]
) -> None:
    meeting, other = sync(ask(hosting)), sync(ask(hosting))
    Meeting.objects.update(created_at=timezone.now() - timedelta(hours=1))
    unowned.add(meeting.pk)

    run = reconcile(connection)
    sync(meeting)

    assert (meeting.state, list(fake_teams.meetings)) == ("cancelled", [other.remote_id])
    assert run.repaired == 1
    assert [(finding.meeting_id, str(finding.message)) for finding in Finding.objects.all()] == [
        (meeting.pk, "No appointment has this meeting any more: it is cancelled.")
    ]


def test_a_new_meeting_may_belong_to_an_uncommitted_booking(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform, unowned: set[UUID]
) -> None:
    meeting = sync(ask(hosting))
    unowned.add(meeting.pk)

    reconcile(connection)

    meeting.refresh_from_db()
    assert meeting.state == "ready"


def test_without_a_registered_owner_every_meeting_stays(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(ask(hosting))
    Meeting.objects.update(created_at=timezone.now() - timedelta(hours=1))
    monkeypatch.setattr(hooks.meeting_owners, "_hooks", [])
    fake_teams.calls.clear()

    reconcile(connection)

    assert (Meeting.objects.get().state, fake_teams.calls) == ("ready", Counter())


def test_a_refused_deletion_is_tried_again_at_night(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    fake_teams.fail("delete_meeting", PlatformError(ErrorKind.PERSON, message("No policy covers Sam.")))
    requests.request_cancel(meeting.pk)
    sync(meeting)
    had_failed = meeting.has_failed

    reconcile(connection)
    sync(meeting)

    assert (had_failed, meeting.state, fake_teams.meetings) == (True, "cancelled", {})
