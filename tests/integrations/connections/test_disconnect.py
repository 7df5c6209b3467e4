"""Disconnect: what is deleted, what is kept, and calls in flight."""

from __future__ import annotations

import time

import pytest
from django.db import connection as database
from django.utils import timezone

from integrations.connections.disconnect import UpcomingCounts, count_upcoming, disconnect_connection
from integrations.connections.lifecycle import require_reauthorization, revive_connection
from integrations.encryption import cipher
from integrations.event_text import event_text
from integrations.hosting.eligibility import Hosting, hosting_of
from integrations.matching.rematch_runs import start_run
from integrations.matching.rematch_worker import work_on_run
from integrations.meetings import requests
from integrations.meetings.sweep import sweep
from integrations.models import Connection, ConnectionStatus, Meeting, RematchRun, RematchTrigger
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.entra import sign_in, user_tokens
from integrations.teams.entra.token_responses import Tokens
from integrations.teams.models import TeamsConnection
from staff.models import StaffMember
from tests.factories import make_connection, make_staff
from tests.integrations.fake_platform import FakePlatform
from tests.integrations.meeting_steps import HALF_AN_HOUR, ask, move, sync
from tests.messages import message

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("hosting")
def test_a_disconnected_connection_is_not_the_default_and_records_the_actor(
    connection: Connection, ada: StaffMember
) -> None:
    was_live = disconnect_connection(connection, ada)

    event = connection.events.get()
    assert (was_live, connection.status, connection.is_default) == (True, "disconnected", False)
    assert (event.kind, event.actor) == ("disconnected", ada)
    assert event_text(event) == (
        "Microsoft Teams was disconnected. Upcoming appointments that keep their link: 0; that get none: 0."
    )


@pytest.mark.usefixtures("hosting")
def test_a_second_disconnect_changes_nothing(connection: Connection, fake_teams: FakePlatform) -> None:
    first = disconnect_connection(connection, None)
    second = disconnect_connection(connection, None)

    assert (first, second) == (True, False)
    assert (connection.events.count(), fake_teams.calls["forget_sign_in"]) == (1, 1)


@pytest.mark.usefixtures("hosting")
def test_a_connection_that_needs_reauthorization_can_be_disconnected(connection: Connection) -> None:
    require_reauthorization(Connection.objects.all(), message("The sign-in was revoked."))

    disconnect_connection(connection, None)

    assert (connection.status, str(connection.status_reason)) == ("disconnected", "")


@pytest.mark.usefixtures("hosting")
def test_disconnect_works_without_the_add_on(connection: Connection, fake_teams: FakePlatform) -> None:
    fake_teams.addon = False

    assert disconnect_connection(connection, None)


@pytest.mark.usefixtures("hosting")
def test_no_staff_are_moved_to_another_connection(connection: Connection) -> None:
    make_connection(connection.organization, "other account", name="Microsoft Teams 2", is_default=False)

    disconnect_connection(connection, None)

    assert not Connection.objects.filter(is_default=True).exists()
    sam = StaffMember.objects.get()
    assert hosting_of([sam])[sam.pk].problem == (
        "Sam Okafor has no video platform. An admin can connect one, or make one the default, under "
        "Settings > Video Calls."
    )


# --- Meetings ---------------------------------------------------------------------------------------
def test_the_preview_counts_only_upcoming_appointments(hosting: Hosting, connection: Connection) -> None:
    sync(ask(hosting))
    ask(hosting)
    ask(hosting)
    requests.request_cancel(sync(ask(hosting)).pk)
    now = timezone.now()
    over = sync(ask(hosting))
    Meeting.objects.filter(pk=over.pk).update(starts_at=now - 2 * HALF_AN_HOUR, ends_at=now - HALF_AN_HOUR)

    assert count_upcoming(connection) == UpcomingCounts(with_link=1, waiting=2)


def test_a_failed_meeting_is_not_counted_as_waiting(hosting: Hosting, connection: Connection) -> None:
    meeting = ask(hosting)
    Meeting.objects.filter(pk=meeting.pk).update(due_at=None, error_kind="person")

    assert count_upcoming(connection) == UpcomingCounts(with_link=0, waiting=0)


def test_links_are_kept_and_waiting_meetings_fail_with_the_remedy(hosting: Hosting, connection: Connection) -> None:
    ready, waiting = sync(ask(hosting)), ask(hosting)
    link = ready.join_url

    disconnect_connection(connection, None)

    ready.refresh_from_db()
    waiting.refresh_from_db()
    assert (ready.state, ready.join_url, ready.has_failed) == ("ready", link, False)
    assert (waiting.state, waiting.due_at) == ("failed", None)
    assert str(waiting.error).startswith("The video platform was disconnected before the link was made.")


def test_a_call_under_way_stores_its_link(hosting: Hosting, connection: Connection, fake_teams: FakePlatform) -> None:
    meeting = ask(hosting)
    fake_teams.during("create_meeting", lambda: disconnect_connection(connection, None))

    sync(meeting)

    assert (meeting.state, meeting.join_url) == ("ready", "https://meet.example/1")


def test_a_move_afterwards_keeps_the_link_and_warns_that_microsoft_has_the_old_time(
    hosting: Hosting, connection: Connection, fake_teams: FakePlatform
) -> None:
    meeting = sync(ask(hosting))
    disconnect_connection(connection, None)

    move(meeting)
    sweep()

    meeting.refresh_from_db()
    assert (meeting.state, meeting.join_url) == ("ready", "https://meet.example/1")
    assert str(meeting.error).endswith("the link still works, but the platform shows the old time.")
    assert fake_teams.calls["update_meeting"] == 1


# --- Rematches --------------------------------------------------------------------------------------
@pytest.mark.usefixtures("hosting")
def test_a_rematch_under_way_ends_with_a_sentence_and_people_keep_their_status(
    connection: Connection, fake_teams: FakePlatform, sent_tasks: list[tuple[object, ...]]
) -> None:
    fake_teams.chunk_size = 1
    make_staff(connection.organization, 3)
    run = start_run(connection, trigger=RematchTrigger.ADMIN, started_by=None)
    fake_teams.during("find", lambda: disconnect_connection(connection, None))

    work_on_run(run.pk)

    run.refresh_from_db()
    assert (run.state, str(run.error)) == ("failed", "Microsoft Teams was disconnected meanwhile.")
    assert (run.done, fake_teams.calls["find"]) == (0, 1)
    assert list(connection.matches.values_list("staff__first_name", "status")) == [("Sam", "matched")]


@pytest.mark.usefixtures("hosting")
def test_after_connecting_again_all_staff_are_rematched(connection: Connection) -> None:
    start_run(connection, trigger=RematchTrigger.ADMIN, started_by=None)
    disconnect_connection(connection, None)

    revive_connection(connection, match_field="email", actor=None)

    assert list(RematchRun.objects.order_by("pk").values_list("state", flat=True)) == ["failed", "running"]
    assert connection.is_default


# --- Tokens of Microsoft Teams --------------------------------------------------------------------
@pytest.fixture
def teams(connection: Connection) -> TeamsConnection:
    """Maple's connection with the real platform behind it."""
    return connection.teams


def stored(teams: TeamsConnection) -> str:
    """Return the decrypted column."""
    with database.cursor() as cursor:
        cursor.execute("SELECT tokens FROM teams_teamsconnection WHERE id = %s", [teams.pk])
        return cipher().decrypt(cursor.fetchone()[0].encode()).decode()


def test_no_token_is_left(teams: TeamsConnection) -> None:
    assert "a-refresh-token" in stored(teams)

    disconnect_connection(teams.connection, None)

    teams.refresh_from_db()
    assert stored(teams) == "{}"
    assert (teams.token_version, teams.lease_token, teams.lease_until) == (2, None, None)


def test_a_renewal_under_way_brings_no_token_back(teams: TeamsConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    TeamsConnection.objects.update(tokens={"access_token": "old", "expires_at": 0, "refresh_token": "r"})

    def renew(tenant_id: str, refresh_token: str) -> Tokens:
        disconnect_connection(teams.connection, None)
        return Tokens("new", time.time() + 3600, "newer", ())

    monkeypatch.setattr(sign_in, "refresh_tokens", renew)

    with pytest.raises(PlatformError, match=r"^Microsoft Teams is disconnected.$"):
        user_tokens.access_token(teams.connection)

    teams.connection.refresh_from_db()
    assert stored(teams) == "{}"
    assert teams.connection.status == ConnectionStatus.DISCONNECTED


def test_a_refused_call_in_flight_does_not_require_reauthorization(
    teams: TeamsConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    TeamsConnection.objects.update(tokens={"access_token": "old", "expires_at": 0, "refresh_token": "r"})

    def refuse(tenant_id: str, refresh_token: str) -> Tokens:
        disconnect_connection(teams.connection, None)
        raise PlatformError(ErrorKind.CONNECTION, message("Revoked."))

    monkeypatch.setattr(sign_in, "refresh_tokens", refuse)

    with pytest.raises(PlatformError, match=r"^Microsoft Teams is disconnected.$"):
        user_tokens.access_token(teams.connection)

    teams.connection.refresh_from_db()
    assert (teams.connection.status, str(teams.connection.status_reason)) == ("disconnected", "")
