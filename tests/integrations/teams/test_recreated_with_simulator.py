"""Staff who are renamed, or deleted and created again, at the simulated Microsoft."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from appointments.booking.book import book_appointment
from appointments.changes.move import move_appointment
from appointments.models import Appointment, BookedThrough
from integrations.matching.host_permission import probe_host_permission
from integrations.matching.host_permission_report import grant_scripts
from integrations.matching.rematch_runs import start_run
from integrations.matching.rematch_worker import work_on_run
from integrations.meetings.organizers import follow_organizers
from integrations.meetings.sync import sync_meeting
from integrations.models import Connection, DriftFinding, MatchStatus, RematchTrigger, UserMatch
from integrations.monitoring.drift import watch_drift
from integrations.monitoring.drift_report import notice_of
from integrations.teams.models import Method
from services.models import MeetingMethod
from simulator import people
from tests.factories import make_client, make_connection, make_hours, make_member, make_service
from tests.integrations.backdating import work
from tests.integrations.teams.test_with_simulator import live_meetings, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

SAM = "sam@maple.example"


@pytest.fixture
def by_account(maple, settings, simulator) -> Connection:
    """A service account connection of Maple, with Sam matched and Video Calls on."""
    settings.MICROSOFT_READ_TIMEOUT_SECONDS = 2.0
    connection = make_connection(maple)
    oid = simulator.person(people.SERVICE_ACCOUNT)["id"]
    sign_in(connection, simulator.user_token(people.SERVICE_ACCOUNT), account_oid=oid)
    make_hours(make_member(maple))
    rematch(connection)
    UserMatch.objects.update(enabled=True)
    return connection


@pytest.fixture
def by_policy(by_account, simulator):
    """The same connection by access policy. Sam has a policy of his own."""
    simulator.control("policy", user=SAM)
    simulator.control("consent")
    granted = ["OnlineMeetings.ReadWrite.All", "User.Read.All"]
    sign_in(by_account, "", method=Method.ACCESS_POLICY, granted=granted)
    rematch(by_account)
    return by_account


def rematch(connection: Connection):
    """Rematch all users, and probe those whose permission is unknown. Return the run."""
    connection = Connection.objects.get(pk=connection.pk)
    run = start_run(connection, trigger=RematchTrigger.ADMIN, started_by=None)
    work_on_run(run.pk)
    UserMatch.objects.update(host_permission_due_at=timezone.now() - timedelta(seconds=1))
    probe_host_permission(connection.pk)
    run.refresh_from_db()
    return run


@pytest.fixture
def book(maple):
    """Return a function that books a video appointment with Sam next month and creates its link."""
    sky = make_member(maple, "Sky Larsen", "scheduler")

    def book_video() -> Appointment:
        sam = maple.staff.get(email=SAM)
        appointment = book_appointment(
            organization=maple,
            service=make_service(maple, provided_by=(sam,)),
            staff=sam,
            client=make_client(maple),
            starts_at=timezone.now().replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=3),
            method=MeetingMethod.VIDEO,
            actor=sky,
            through=BookedThrough.SCHEDULE,
            outside_hours=True,
        )
        assert appointment.meeting_id is not None
        sync_meeting(appointment.meeting_id)
        appointment.refresh_from_db()
        return appointment

    return book_video


def recreate(simulator) -> str:
    """Delete Sam at Microsoft and create him again. Return the new object id."""
    return str(simulator.control("person", user=SAM, recreate=True)["person"]["id"])


def joined(appointment: Appointment) -> str:
    """Return the Teams link that the client's join link leads to."""
    return Client().get(f"/join/{appointment.join_token}")["Location"]


def coorganizers(simulator) -> list[str]:
    (meeting,) = live_meetings(simulator)
    return [attendee["identity"]["user"]["id"] for attendee in meeting["attendees"]]


# --- Access policy ----------------------------------------------------------------------------------
def test_a_recreated_organizer_gets_new_meetings_once_the_policy_is_granted(by_policy, simulator, book):
    appointment = book()
    former = joined(appointment)
    new_id = recreate(simulator)
    rematch(by_policy)
    follow_organizers(by_policy.pk)
    assert (UserMatch.objects.get(staff=appointment.staff).status, joined(appointment)) == ("forbidden", former)
    simulator.control("policy", user=SAM)
    rematch(by_policy)

    follow_organizers(by_policy.pk)
    work()

    appointment.refresh_from_db()
    current = joined(appointment)
    organizers = {meeting["join_web_url"]: meeting["organizer_id"] for meeting in simulator.state("meetings")}
    assert (organizers[current], current != former) == (new_id, True)


def test_the_meeting_of_the_former_user_is_retired(by_policy, simulator, book):
    former = book().meeting
    recreate(simulator)
    simulator.control("policy", user=SAM)
    rematch(by_policy)

    follow_organizers(by_policy.pk)
    work()

    former.refresh_from_db()
    assert (former.state, former.error_kind) == ("cancelled", "")


def test_the_script_for_policies_has_the_new_id(by_policy, simulator, book):
    former = UserMatch.objects.get(staff__email=SAM).remote_id
    new_id = recreate(simulator)

    rematch(by_policy)

    script = "".join(script.code for script in grant_scripts(Connection.objects.get()))
    assert (new_id in script, former in script) == (True, False)


def test_a_move_before_the_rematch_creates_the_meeting_under_the_new_id_afterwards(by_policy, simulator, book):
    appointment = book()
    new_id = recreate(simulator)
    simulator.control("policy", user=SAM)
    later = appointment.starts_at + timedelta(hours=2)
    move_appointment(appointment, starts_at=later, actor=None, through=BookedThrough.SCHEDULE, outside_hours=True)
    work()
    rematch(by_policy)

    follow_organizers(by_policy.pk)
    work()

    appointment.refresh_from_db()
    assert (appointment.meeting.organizer_id, appointment.meeting.starts_at) == (new_id, later)
    assert (appointment.meeting.state, appointment.meeting.has_failed) == ("ready", False)


# --- Service account --------------------------------------------------------------------------------
def test_a_recreated_co_organizer_is_replaced_and_the_link_stays(by_account, simulator, book):
    appointment = book()
    link, former = joined(appointment), coorganizers(simulator)
    new_id = recreate(simulator)
    rematch(by_account)

    follow_organizers(by_account.pk)
    work()

    assert (coorganizers(simulator), joined(appointment)) == ([new_id], link)
    assert former != [new_id]


def test_a_renamed_co_organizer_is_sent_under_the_new_name_with_the_next_change(by_account, simulator, book):
    appointment = book()
    simulator.control("person", user=SAM, upn="samuel@maple.example")
    appointment.staff.email = "samuel@maple.example"
    appointment.staff.save()
    rematch(by_account)
    follow_organizers(by_account.pk)

    later = appointment.starts_at + timedelta(hours=2)
    move_appointment(appointment, starts_at=later, actor=None, through=BookedThrough.SCHEDULE, outside_hours=True)
    work()

    (meeting,) = live_meetings(simulator)
    assert [attendee["upn"] for attendee in meeting["attendees"]] == ["samuel@maple.example"]


# --- Pages ------------------------------------------------------------------------------------------
def test_the_rematch_says_that_the_user_is_new(by_account, simulator, ada_browser):
    recreate(simulator)

    run = rematch(by_account)

    change = run.changes.get(staff__email=SAM)
    page = ada_browser.get(f"/settings/video-calls/{by_account.pk}/").content.decode()
    assert (change.before, change.after, change.is_recreated) == (MatchStatus.MATCHED, MatchStatus.MATCHED, True)
    assert "A new user with the same user name." in page


def test_the_nightly_watch_says_that_the_user_is_new(by_account, simulator, book):
    book()
    recreate(simulator)

    watch_drift(by_account.pk)

    assert DriftFinding.objects.get().is_recreated
    notice = notice_of(by_account)
    assert notice is not None
    assert notice.sentences == [
        (
            "Sam Okafor would now be matched with a new account that has the same user name (sam@maple.example) "
            "and has 1 video appointment this week."
        )
    ]


def test_the_dashboard_shows_the_new_name_after_a_rematch(by_account, simulator, ada_browser, maple):
    simulator.control("person", user=SAM, upn="samuel@maple.example", name="Samuel Okafor")
    maple.staff.filter(email=SAM).update(email="samuel@maple.example", username="samuel")

    rematch(by_account)

    match = UserMatch.objects.get(staff__email="samuel@maple.example")
    assert (match.remote_user_name, match.remote_name) == ("samuel@maple.example", "Samuel Okafor")
