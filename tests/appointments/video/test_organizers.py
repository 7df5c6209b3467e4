"""Booked meetings follow the identity of their hosts and of the connection's account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from appointments.models import Appointment, NotificationKind, Status
from appointments.timeline import event_text
from integrations.event_text import event_text as connection_event_text
from integrations.matching.host_permission import write_host_permission
from integrations.matching.people import rematch_people
from integrations.meetings import organizers
from integrations.meetings.failed import try_again
from integrations.meetings.organizers import follow_organizers
from integrations.meetings.reconciliation import reconcile
from integrations.meetings.sync import sync_meeting
from integrations.models import Connection, DesiredState, EventKind, HostPermission, Meeting, UserMatch
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PermissionResult, PermissionState
from services.models import MeetingMethod
from staff.models import StaffMember
from tests.appointments.conftest import Maple, monday
from tests.factories import make_match, make_member
from tests.integrations.fake_platform import FakePlatform
from tests.messages import message

pytestmark = pytest.mark.django_db(transaction=True)

FOLLOW = "integrations.follow_organizers"
GRANTED = PermissionResult(PermissionState.GRANTED)
REPLACED = "The link was replaced, because the meeting has another organizer on the video platform now."


@pytest.fixture
def connection(maple_with_teams: Maple) -> Connection:
    return Connection.objects.get()


@pytest.fixture
def by_staff(connection: Connection, fake_teams: FakePlatform) -> Connection:
    """The connection, on which staff organize their own meetings."""
    fake_teams.needs_permission_probe = True
    UserMatch.objects.update(host_permission=HostPermission.GRANTED)
    return connection


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Tasks that would be sent to the broker, as (task, *arguments)."""
    tasks: list[tuple[object, ...]] = []

    def take(task: str, calls: list[tuple[object, ...]], priority: object = None) -> bool:
        tasks.extend((task, *args) for args in calls)
        return True

    monkeypatch.setattr("coconut.task_queue.send_each", take)
    return tasks


def book(maple: Maple, **changes: object) -> Appointment:
    """Return a video appointment next year, with a link."""
    start = monday(10).replace(year=timezone.now().year + 1, month=6, day=15)
    booked = maple.book(**{"method": MeetingMethod.VIDEO, "starts_at": start, "outside_hours": True, **changes})
    assert booked.meeting_id is not None
    sync_meeting(booked.meeting_id)
    return booked


def recreate(fake_teams: FakePlatform, member: StaffMember, remote_id: str = "oid-of-the-new-user") -> None:
    """Give the member's user name to a new user of the platform, and rematch the member."""
    fake_teams.knows(member.email, remote_id=remote_id)
    rematch_people(Connection.objects.get(), [member.pk])


def meeting_of(appointment: Appointment) -> Meeting:
    return Meeting.objects.get(appointment=appointment)


def last_line(appointment: Appointment) -> str:
    event = appointment.events.last()
    assert event is not None
    return event_text(event)


# --- Staff organize ---------------------------------------------------------------------------------
def test_a_recreated_host_gets_a_new_meeting_under_the_new_id(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform
) -> None:
    appointment = book(maple_with_teams)
    former = meeting_of(appointment)
    recreate(fake_teams, maple_with_teams.sam)
    write_host_permission(by_staff, {"oid-of-the-new-user": GRANTED})

    follow_organizers(by_staff.pk)

    former.refresh_from_db()
    current = meeting_of(appointment)
    assert (former.organizer_id, current.organizer_id) == ("oid-of-sam@maple.example", "oid-of-the-new-user")
    assert (former.desired_state, former.replaced_by) == (DesiredState.ABSENT, current)
    assert (current.starts_at, current.ends_at, current.subject) == (former.starts_at, former.ends_at, former.subject)
    assert last_line(appointment) == REPLACED


def test_the_join_page_leads_to_the_new_meeting(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform
) -> None:
    appointment = book(maple_with_teams)
    before = Browser().get(f"/join/{appointment.join_token}")["Location"]
    recreate(fake_teams, maple_with_teams.sam)
    write_host_permission(by_staff, {"oid-of-the-new-user": GRANTED})
    follow_organizers(by_staff.pk)
    sync_meeting(meeting_of(appointment).pk)

    after = Browser().get(f"/join/{appointment.join_token}")["Location"]

    assert after == meeting_of(appointment).join_url != before


def test_no_email_is_sent_because_the_join_link_stays(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform
) -> None:
    appointment = book(maple_with_teams)
    recreate(fake_teams, maple_with_teams.sam)
    write_host_permission(by_staff, {"oid-of-the-new-user": GRANTED})

    follow_organizers(by_staff.pk)

    assert not appointment.notifications.exclude(kind=NotificationKind.BOOKED).exists()


def test_the_meeting_stays_until_the_new_user_may_host(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform, sent: list[tuple[object, ...]]
) -> None:
    appointment = book(maple_with_teams)
    former = meeting_of(appointment)
    recreate(fake_teams, maple_with_teams.sam)
    write_host_permission(by_staff, {"oid-of-the-new-user": PermissionResult(PermissionState.DENIED)})
    follow_organizers(by_staff.pk)

    assert meeting_of(appointment) == former
    assert (FOLLOW, by_staff.pk) not in sent
    write_host_permission(by_staff, {"oid-of-the-new-user": GRANTED})
    assert (FOLLOW, by_staff.pk) in sent


def test_the_first_grant_to_a_new_user_enqueues_the_task(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform, sent: list[tuple[object, ...]]
) -> None:
    book(maple_with_teams)
    recreate(fake_teams, maple_with_teams.sam)

    write_host_permission(by_staff, {"oid-of-the-new-user": GRANTED})

    assert (FOLLOW, by_staff.pk) in sent


def test_a_user_who_was_missing_for_a_while_is_followed_too(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform
) -> None:
    appointment = book(maple_with_teams)
    rematch_people(by_staff, [maple_with_teams.sam.pk])
    assert UserMatch.objects.get().status == "unmatched"
    recreate(fake_teams, maple_with_teams.sam)
    write_host_permission(by_staff, {"oid-of-the-new-user": GRANTED})

    follow_organizers(by_staff.pk)

    assert meeting_of(appointment).organizer_id == "oid-of-the-new-user"


def test_video_calls_that_are_off_do_not_keep_the_former_organizer(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform
) -> None:
    appointment = book(maple_with_teams)
    UserMatch.objects.update(enabled=False)
    recreate(fake_teams, maple_with_teams.sam)
    write_host_permission(by_staff, {"oid-of-the-new-user": GRANTED})

    follow_organizers(by_staff.pk)

    assert meeting_of(appointment).organizer_id == "oid-of-the-new-user"


def test_a_client_who_has_arrived_keeps_the_link(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform
) -> None:
    appointment = book(maple_with_teams)
    Appointment.objects.update(status=Status.ARRIVED)
    recreate(fake_teams, maple_with_teams.sam)
    write_host_permission(by_staff, {"oid-of-the-new-user": GRANTED})

    follow_organizers(by_staff.pk)

    assert meeting_of(appointment).organizer_id == "oid-of-sam@maple.example"


def test_a_meeting_that_has_begun_keeps_its_organizer(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform
) -> None:
    appointment = book(maple_with_teams)
    Meeting.objects.update(starts_at=timezone.now() - timedelta(minutes=5))
    recreate(fake_teams, maple_with_teams.sam)
    write_host_permission(by_staff, {"oid-of-the-new-user": GRANTED})

    follow_organizers(by_staff.pk)

    assert meeting_of(appointment).organizer_id == "oid-of-sam@maple.example"


def test_a_second_run_finds_nothing_to_do(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform
) -> None:
    book(maple_with_teams)
    recreate(fake_teams, maple_with_teams.sam)
    write_host_permission(by_staff, {"oid-of-the-new-user": GRANTED})
    follow_organizers(by_staff.pk)

    follow_organizers(by_staff.pk)

    assert Meeting.objects.count() == 2


def test_many_meetings_are_replaced_in_portions(
    maple_with_teams: Maple,
    by_staff: Connection,
    fake_teams: FakePlatform,
    monkeypatch: pytest.MonkeyPatch,
    sent: list[tuple[object, ...]],
) -> None:
    monkeypatch.setattr(organizers, "PORTION", 1)
    first = book(maple_with_teams)
    second = book(maple_with_teams, starts_at=first.starts_at + timedelta(hours=1))
    recreate(fake_teams, maple_with_teams.sam)
    write_host_permission(by_staff, {"oid-of-the-new-user": GRANTED})
    sent.clear()

    follow_organizers(by_staff.pk)

    assert [meeting_of(each).organizer_id for each in (first, second)] == [
        "oid-of-the-new-user",
        "oid-of-sam@maple.example",
    ]
    assert (FOLLOW, by_staff.pk) in sent


def test_a_failed_meeting_is_replaced_after_try_again(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform, sent: list[tuple[object, ...]]
) -> None:
    appointment = book(maple_with_teams)
    Meeting.objects.update(error_kind=ErrorKind.PERSON, error=message("Refused."), join_url="", synced_version=0)
    UserMatch.objects.update(remote_id="oid-of-the-new-user")

    try_again(by_staff, None, maple_with_teams.sky)
    follow_organizers(by_staff.pk)

    assert (FOLLOW, by_staff.pk) in sent
    assert meeting_of(appointment).organizer_id == "oid-of-the-new-user"


def test_the_nightly_reconciliation_finds_a_lost_task(
    maple_with_teams: Maple, by_staff: Connection, sent: list[tuple[object, ...]]
) -> None:
    book(maple_with_teams)
    UserMatch.objects.update(remote_id="oid-of-the-new-user")

    reconcile(by_staff)

    assert (FOLLOW, by_staff.pk) in sent


def test_the_history_names_a_recreated_user(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform
) -> None:
    recreate(fake_teams, maple_with_teams.sam)

    event = by_staff.events.get(kind=EventKind.USER_RECREATED)
    assert connection_event_text(event) == (
        "Sam Okafor has a new account at Microsoft Teams with the same user name (sam@maple.example). Upcoming "
        "meetings follow as soon as the new account may host."
    )


def test_the_history_counts_the_other_recreated_users(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform
) -> None:
    tess = make_member(maple_with_teams.organization, "Tess Moor")
    make_match(by_staff, tess)
    for member in (maple_with_teams.sam, tess):
        fake_teams.knows(member.email, remote_id=f"new-{member.pk}")

    rematch_people(by_staff, [maple_with_teams.sam.pk, tess.pk])

    event = by_staff.events.get(kind=EventKind.USER_RECREATED)
    assert connection_event_text(event).startswith("Sam Okafor and 1 other person have new accounts")


def test_a_user_with_another_name_is_not_called_recreated(
    maple_with_teams: Maple, by_staff: Connection, fake_teams: FakePlatform
) -> None:
    fake_teams.knows(maple_with_teams.sam.email, remote_id="oid-2", user_name="samuel@maple.example")

    rematch_people(by_staff, [maple_with_teams.sam.pk])

    assert not by_staff.events.filter(kind=EventKind.USER_RECREATED).exists()


# --- One account organizes --------------------------------------------------------------------------
def test_a_recreated_co_organizer_is_replaced_in_the_meeting(
    maple_with_teams: Maple, connection: Connection, fake_teams: FakePlatform
) -> None:
    appointment = book(maple_with_teams)
    link = meeting_of(appointment).join_url
    recreate(fake_teams, maple_with_teams.sam)

    follow_organizers(connection.pk)
    sync_meeting(meeting_of(appointment).pk)

    (remote,) = fake_teams.meetings.values()
    assert (list(remote.attendee_ids), meeting_of(appointment).join_url) == (["oid-of-the-new-user"], link)


def test_the_rematch_enqueues_the_task(
    maple_with_teams: Maple, connection: Connection, fake_teams: FakePlatform, sent: list[tuple[object, ...]]
) -> None:
    book(maple_with_teams)

    recreate(fake_teams, maple_with_teams.sam)

    assert (FOLLOW, connection.pk) in sent


def test_a_new_user_name_is_stored_without_a_call(
    maple_with_teams: Maple, connection: Connection, fake_teams: FakePlatform
) -> None:
    appointment = book(maple_with_teams)
    fake_teams.knows(maple_with_teams.sam.email, remote_id="oid-of-sam@maple.example", user_name="samuel@maple.example")
    rematch_people(connection, [maple_with_teams.sam.pk])

    follow_organizers(connection.pk)

    meeting = meeting_of(appointment)
    assert meeting.attendees[0]["user_name"] == "samuel@maple.example"
    assert (meeting.version, meeting.due_at) == (1, None)


def test_another_account_gets_all_upcoming_meetings(
    maple_with_teams: Maple, connection: Connection, fake_teams: FakePlatform
) -> None:
    first = book(maple_with_teams)
    second = book(maple_with_teams, starts_at=first.starts_at + timedelta(hours=1))
    fake_teams.account_id = "oid-of-the-new-account"

    follow_organizers(connection.pk)

    assert {meeting_of(each).organizer_id for each in (first, second)} == {"oid-of-the-new-account"}


def test_a_disconnected_connection_follows_nothing(
    maple_with_teams: Maple, connection: Connection, fake_teams: FakePlatform
) -> None:
    appointment = book(maple_with_teams)
    Connection.objects.update(status="disconnected", is_default=False)
    fake_teams.account_id = "oid-of-the-new-account"

    follow_organizers(connection.pk)

    assert Meeting.objects.get() == meeting_of(appointment)
