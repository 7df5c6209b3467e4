"""A service account that was deleted and created again under the same name."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from appointments.booking.book import book_appointment
from appointments.models import BookedThrough
from integrations.event_text import event_text
from integrations.meetings.organizers import follow_organizers
from integrations.meetings.sync import sync_meeting
from integrations.models import Connection, EventKind, Meeting, RematchTrigger
from integrations.teams.entra import user_tokens
from integrations.teams.models import TeamsConnection
from integrations.teams.platform import Teams
from services.models import MeetingMethod
from simulator import people
from tests.factories import (
    TEAMS_ADDONS,
    make_client,
    make_connection,
    make_hours,
    make_match,
    make_member,
    make_organization,
    make_service,
)
from tests.integrations.backdating import work
from tests.integrations.teams.oauth_steps import answer_last_questions, microsoft_address, shown_messages, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def maple(db):
    return make_organization(addons=TEAMS_ADDONS)


@pytest.fixture
def connected(ada_browser, simulator, only_connection):
    """A connection by service account."""
    upn_page = ada_browser.get("/settings/video-calls/new/teams/service-account/").headers["Location"]
    ada_browser.get(sign_in(simulator, answer_last_questions(ada_browser, upn_page)))
    shown_messages(ada_browser)
    return only_connection()


@pytest.fixture
def new_id(connected, simulator) -> str:
    """Recreate the service account, and return its new object id."""
    return str(simulator.control("person", user=people.SERVICE_ACCOUNT, recreate=True)["person"]["id"])


def reauthorize(browser: Client, simulator, connection: Connection):
    """Sign in again under the name of the service account. Return Coconut's response."""
    page = f"/settings/video-calls/teams/{connection.pk}/reauthorize/"
    microsoft = simulator.browser()
    microsoft.open(microsoft_address(browser.post(page, {"tenant": people.CONTOSO_ID})))
    microsoft.submit(loginfmt=people.SERVICE_ACCOUNT)
    if not microsoft.is_back:
        microsoft.submit(decision="accept")
    return browser.get(microsoft.page.headers["Location"])


def page_of(connection: Connection) -> str:
    return f"/settings/video-calls/teams/{connection.pk}/new-account/"


def book(connection: Connection, actor):
    """Book a video appointment with Sam next year, and create its link."""
    organization = connection.organization
    sam = make_member(organization)
    make_hours(sam)
    make_match(connection, sam)
    appointment = book_appointment(
        organization=organization,
        service=make_service(organization, provided_by=(sam,)),
        staff=sam,
        client=make_client(organization),
        starts_at=timezone.now().replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=30),
        method=MeetingMethod.VIDEO,
        actor=actor,
        through=BookedThrough.SCHEDULE,
        outside_hours=True,
    )
    assert appointment.meeting_id is not None
    sync_meeting(appointment.meeting_id)
    appointment.refresh_from_db()
    return appointment


def test_reauthorize_leads_to_the_page_that_explains_it(ada_browser, simulator, connected, new_id):
    response = reauthorize(ada_browser, simulator, connected)

    page = unescape(ada_browser.get(page_of(connected)).content.decode())
    assert response.headers["Location"] == page_of(connected)
    assert "You signed in as <strong>coconut-meetings@contoso.example</strong>." in page
    assert "Microsoft knows it as another account" in page
    assert TeamsConnection.objects.get().account_oid == connected.teams.account_oid


def test_the_page_counts_the_upcoming_meetings(ada, ada_browser, simulator, connected):
    book(connected, ada)
    simulator.control("person", user=people.SERVICE_ACCOUNT, recreate=True)
    reauthorize(ada_browser, simulator, connected)

    page = ada_browser.get(page_of(connected)).content.decode()

    assert "<strong>1</strong> upcoming meeting is created again under the new account." in page


def test_the_new_account_replaces_the_connected_one(ada_browser, simulator, connected, new_id):
    reauthorize(ada_browser, simulator, connected)

    response = ada_browser.post(page_of(connected))

    teams = TeamsConnection.objects.get()
    assert response.headers["Location"] == f"/settings/video-calls/{connected.pk}/"
    assert (teams.account_oid, teams.token_version) == (new_id, connected.teams.token_version + 1)
    assert shown_messages(ada_browser) == [
        "Microsoft Teams is reauthorized with the new account. Upcoming meetings get new links in a moment."
    ]
    assert user_tokens.access_token(Connection.objects.get())


def test_the_history_names_the_admin_and_the_account(ada, ada_browser, simulator, connected, new_id):
    reauthorize(ada_browser, simulator, connected)

    ada_browser.post(page_of(connected))

    event = connected.events.get(kind=EventKind.NOTED)
    assert event.actor == ada
    assert event_text(event) == (
        "A new account with the same name, coconut-meetings@contoso.example, is the service account now. Upcoming "
        "meetings move to it; meetings that have begun stay with the former account."
    )
    assert connected.rematch_runs.get().trigger == RematchTrigger.REAUTHORIZED


def test_booked_meetings_get_new_links_and_the_join_page_follows(ada, ada_browser, simulator, connected):
    appointment = book(connected, ada)
    before = Client().get(f"/join/{appointment.join_token}")["Location"]
    new_id = simulator.control("person", user=people.SERVICE_ACCOUNT, recreate=True)["person"]["id"]
    reauthorize(ada_browser, simulator, connected)
    ada_browser.post(page_of(connected))

    follow_organizers(connected.pk)
    work()

    appointment.refresh_from_db()
    after = Client().get(f"/join/{appointment.join_token}")["Location"]
    assert after == appointment.meeting.join_url != before
    assert appointment.meeting.organizer_id == new_id
    assert {meeting["organizer_id"] for meeting in simulator.state("meetings") if meeting["join_web_url"] == after} == {
        new_id
    }


def test_the_former_meeting_is_retired_without_a_call_for_it(ada, ada_browser, simulator, connected):
    former = book(connected, ada).meeting
    simulator.control("person", user=people.SERVICE_ACCOUNT, recreate=True)
    reauthorize(ada_browser, simulator, connected)
    ada_browser.post(page_of(connected))

    follow_organizers(connected.pk)
    work()

    former.refresh_from_db()
    assert (former.state, former.error_kind, former.replaced_by is not None) == ("cancelled", "", True)
    log = simulator.http.get(f"{simulator.url}/_control/requests").json()["requests"]
    assert [entry for entry in log if entry["method"] == "DELETE"] == []


def test_a_change_of_a_meeting_that_stays_says_how_to_get_a_new_link(ada, ada_browser, simulator, connected):
    meeting = book(connected, ada).meeting
    simulator.control("person", user=people.SERVICE_ACCOUNT, recreate=True)
    reauthorize(ada_browser, simulator, connected)
    ada_browser.post(page_of(connected))
    Meeting.objects.filter(pk=meeting.pk).update(version=2, due_at=timezone.now())

    sync_meeting(meeting.pk)

    meeting.refresh_from_db()
    assert (meeting.state, meeting.has_failed) == ("ready", True)
    assert str(meeting.error).startswith("This meeting belongs to a former service account")


def test_cancel_changes_nothing(ada_browser, simulator, connected, new_id):
    reauthorize(ada_browser, simulator, connected)

    page = ada_browser.get(page_of(connected)).content.decode()

    assert f'<a class="btn" href="/settings/video-calls/{connected.pk}/">Cancel</a>' in page
    assert TeamsConnection.objects.get().token_version == connected.teams.token_version


def test_the_decision_is_used_once(ada_browser, simulator, connected, new_id):
    reauthorize(ada_browser, simulator, connected)
    ada_browser.post(page_of(connected))
    shown_messages(ada_browser)

    response = ada_browser.post(page_of(connected))

    assert response.headers["Location"] == f"/settings/video-calls/teams/{connected.pk}/reauthorize/"
    (sentence,) = shown_messages(ada_browser)
    assert sentence == "The sign-in at Microsoft took longer than 15 minutes, or was used before. Start again."


def test_the_decision_ends_after_fifteen_minutes(ada_browser, simulator, connected, new_id):
    reauthorize(ada_browser, simulator, connected)

    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        ada_browser.post(page_of(connected))

    assert TeamsConnection.objects.get().account_oid == connected.teams.account_oid


def test_the_page_needs_a_sign_in_for_its_own_connection(ada_browser, simulator, connected, new_id, maple):
    other = make_connection(maple, is_default=False)
    reauthorize(ada_browser, simulator, connected)

    response = ada_browser.get(page_of(other))

    assert response.headers["Location"] == f"/settings/video-calls/teams/{other.pk}/reauthorize/"


def test_another_organisation_does_not_find_the_page(otto_browser, connected):
    assert otto_browser.get(page_of(connected)).status_code == 404


def test_the_session_holds_the_tokens_encrypted(ada_browser, simulator, connected, new_id):
    reauthorize(ada_browser, simulator, connected)

    entry = ada_browser.session["teams_pending_account"]
    assert set(entry) == {"connection_id", "account", "started_at"}
    assert "access_token" not in entry["account"]


def test_an_account_of_another_connection_is_not_used_twice(ada_browser, simulator, connected, new_id, maple):
    reauthorize(ada_browser, simulator, connected)
    make_connection(maple, account_oid=new_id, is_default=False)

    ada_browser.post(page_of(connected))

    assert shown_messages(ada_browser) == ["Already connected. Use Reauthorize."]
    assert TeamsConnection.objects.get(connection=connected).account_oid == connected.teams.account_oid


def test_a_missing_licence_is_a_warning_on_the_page_and_afterwards(ada_browser, simulator, connected, new_id):
    simulator.control("person", user=people.SERVICE_ACCOUNT, licensed=False)
    reauthorize(ada_browser, simulator, connected)

    page = ada_browser.get(page_of(connected)).content.decode()
    ada_browser.post(page_of(connected))

    assert "Microsoft shows no Microsoft Teams licence" in page
    assert len(shown_messages(ada_browser)) == 2


def test_the_dashboard_shows_the_new_account(ada_browser, simulator, connected, new_id):
    simulator.control("person", user=people.SERVICE_ACCOUNT, name="Rooms")
    reauthorize(ada_browser, simulator, connected)
    ada_browser.post(page_of(connected))

    assert Teams().account(Connection.objects.get()).name == "Rooms"
