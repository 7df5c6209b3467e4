"""Reassigning, with and without a new time."""

from __future__ import annotations

from typing import Any

import pytest

from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.changes.move import is_movable, move_appointment, reassign_appointment
from appointments.models import Appointment, BookedThrough, Notification, Status
from appointments.models import NotificationKind as Kind
from appointments.timeline import event_text
from integrations.models import DesiredState, Meeting, MeetingState, UserMatch
from services.models import MeetingMethod, ServiceAssignment
from staff.models import OutboxEmail, StaffMember, VideoChoice
from tests.appointments.conftest import Maple, monday
from tests.factories import (
    make_appointment,
    make_connection,
    make_hours,
    make_match,
    make_member,
    make_organization,
)
from tests.integrations.fake_platform import FakePlatform

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]


@pytest.fixture
def kim(maple: Maple) -> StaffMember:
    """Kim, who also provides the review."""
    kim = make_member(maple.organization, "Kim Ito")
    make_hours(kim)
    ServiceAssignment.objects.create(service=maple.review, staff=kim)
    return kim


@pytest.fixture
def kim_on_teams(maple_with_teams: Maple, kim: StaffMember) -> StaffMember:
    make_match(UserMatch.objects.get().connection, kim)
    return kim


def reassign(maple: Maple, appointment: Appointment, staff: StaffMember, **changes: Any) -> Appointment:
    arguments = {"staff": staff, "actor": maple.sky, "through": BookedThrough.SCHEDULE, **changes}
    return reassign_appointment(appointment, **arguments)


def sentence_of(change: Any) -> str:
    with pytest.raises(BookingError) as refused:
        change()
    return refused.value.sentence


def last_line(appointment: Appointment) -> str:
    line = appointment.events.order_by("-pk").first()
    assert line is not None
    return event_text(line)


# --- another person ---------------------------------------------------------------------------------
def test_another_person_takes_the_appointment_over(maple: Maple, kim: StaffMember) -> None:
    appointment = reassign(maple, maple.book(), kim)

    appointment.refresh_from_db()
    assert (appointment.staff, appointment.starts_at, appointment.version) == (kim, monday(10), 1)
    assert last_line(appointment) == "Reassigned from Sam Okafor to Kim Ito."


def test_the_link_stays_if_the_organiser_stays(maple_with_teams: Maple, kim_on_teams: StaffMember) -> None:
    before = maple_with_teams.book(method=MeetingMethod.VIDEO)

    after = reassign(maple_with_teams, before, kim_on_teams)

    meeting = Meeting.objects.get()
    assert (after.meeting_id, meeting.host, meeting.version) == (before.meeting_id, kim_on_teams, 2)
    assert [attendee["user_name"] for attendee in meeting.attendees] == [kim_on_teams.email]
    assert last_line(after) == "Reassigned from Sam Okafor to Kim Ito. The link stays."


def test_another_connection_gives_a_new_link_and_cancels_the_old_meeting(
    maple_with_teams: Maple, kim: StaffMember
) -> None:
    second = make_connection(maple_with_teams.organization, account_oid="another", is_default=False)
    make_match(second, kim)
    StaffMember.objects.filter(pk=kim.pk).update(video_choice=VideoChoice.CONNECTION, video_connection=second)
    before = maple_with_teams.book(method=MeetingMethod.VIDEO)

    after = reassign(maple_with_teams, before, kim)

    old, new = Meeting.objects.get(pk=str(before.meeting_id)), Meeting.objects.get(pk=str(after.meeting_id))
    assert (old.desired_state, old.replaced_by) == (DesiredState.ABSENT, new)
    assert (new.desired_state, new.connection, new.host, new.starts_at) == (
        DesiredState.PRESENT,
        second,
        kim,
        monday(10),
    )
    assert after.join_token == before.join_token
    assert last_line(after) == "Reassigned from Sam Okafor to Kim Ito, with a new link."


def test_another_organiser_gives_a_new_link(
    maple_with_teams: Maple,
    kim_on_teams: StaffMember,
    fake_teams: FakePlatform,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Let each person organise their own meetings, as with the Application Access Policy method."""
    monkeypatch.setattr(fake_teams, "organizer_id", lambda connection, match: match.remote_id)
    before = maple_with_teams.book(method=MeetingMethod.VIDEO)

    after = reassign(maple_with_teams, before, kim_on_teams)

    assert Meeting.objects.get(pk=str(before.meeting_id)).state == MeetingState.CANCELLED
    assert Meeting.objects.get(pk=str(after.meeting_id)).organizer_id == f"oid-of-{kim_on_teams.email}"


def test_staff_with_a_personal_link_host_on_it(maple_with_teams: Maple, kim: StaffMember) -> None:
    StaffMember.objects.filter(pk=kim.pk).update(
        video_choice=VideoChoice.PERSONAL,
        personal_meeting_url="https://meet.example/kim",
        personal_meeting_note="Ring twice",
    )
    before = maple_with_teams.book(method=MeetingMethod.VIDEO)

    after = reassign(maple_with_teams, before, kim)

    after.refresh_from_db()
    assert (after.meeting, after.personal_meeting_url, after.personal_meeting_note) == (
        None,
        "https://meet.example/kim",
        "Ring twice",
    )
    assert Meeting.objects.get().desired_state == DesiredState.ABSENT


def test_a_reassign_replaces_a_personal_link_with_a_meeting(maple_with_teams: Maple, kim_on_teams: StaffMember) -> None:
    appointment = make_appointment(
        maple_with_teams.review,
        maple_with_teams.sam,
        maple_with_teams.cleo,
        monday(10),
        method=MeetingMethod.VIDEO,
        personal_meeting_url="https://meet.example/sam",
    )

    after = reassign(maple_with_teams, appointment, kim_on_teams)

    after.refresh_from_db()
    assert (after.meeting, after.personal_meeting_url) == (Meeting.objects.get(host=kim_on_teams), "")


def test_staff_who_cannot_host_cannot_take_over_a_video_call(maple_with_teams: Maple, kim: StaffMember) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)

    sentence = sentence_of(lambda: reassign(maple_with_teams, appointment, kim))

    appointment.refresh_from_db()
    assert sentence == ("Video Calls is off for Kim Ito. An admin can turn it on under Settings > Video Calls.")
    assert (appointment.staff, Meeting.objects.get().version) == (maple_with_teams.sam, 1)


def test_staff_cannot_take_over_a_service_they_do_not_provide(maple: Maple, kim: StaffMember) -> None:
    kim.assignments.all().delete()
    appointment = maple.book()

    assert sentence_of(lambda: reassign(maple, appointment, kim)) == (
        "Kim Ito does not provide “Mortgage review”. Choose someone who does, or another service."
    )


def test_staff_who_left_cannot_take_it_over(maple: Maple, kim: StaffMember) -> None:
    appointment = maple.book()
    StaffMember.objects.filter(pk=kim.pk).update(is_active=False)

    assert sentence_of(lambda: reassign(maple, appointment, kim)) == (
        "Kim Ito no longer takes appointments. Choose someone else."
    )


def test_an_appointment_of_former_staff_can_be_reassigned(maple: Maple, kim: StaffMember) -> None:
    appointment = maple.book()
    StaffMember.objects.filter(pk=maple.sam.pk).update(is_active=False)

    assert reassign(maple, appointment, kim).staff == kim


def test_a_busy_person_cannot_take_it_over(maple: Maple, kim: StaffMember) -> None:
    make_appointment(maple.review, kim, maple.cleo, monday(10))
    appointment = maple.book()

    with pytest.raises(TimeTaken) as taken:
        reassign(maple, appointment, kim)

    appointment.refresh_from_db()
    assert (appointment.staff, appointment.version) == (maple.sam, 0)
    assert taken.value.next_free[0] == monday(10, 30)


def test_staff_of_another_organisation_cannot_take_it_over(maple: Maple) -> None:
    otto = make_member(make_organization("Cedar Bank"), "Otto Berg")
    appointment = maple.book()

    assert sentence_of(lambda: reassign(maple, appointment, otto)) == (
        "That choice is not available here. Choose another one."
    )


def test_a_reassign_to_the_same_person_changes_nothing(maple: Maple) -> None:
    appointment = reassign(maple, maple.book(), maple.sam)

    assert (appointment.version, appointment.events.count()) == (0, 1)


def test_staff_member_and_time_can_change_together(maple: Maple, kim: StaffMember) -> None:
    appointment = move_appointment(
        maple.book(), starts_at=monday(14), staff=kim, actor=maple.sky, through=BookedThrough.SCHEDULE
    )

    assert (appointment.staff, appointment.starts_at, appointment.version) == (kim, monday(14), 1)
    assert last_line(appointment) == (
        "Moved from Mon 30 Nov 2026, 10:00 UTC to Mon 30 Nov 2026, 14:00 UTC. Reassigned from Sam Okafor to Kim Ito."
    )


@pytest.mark.parametrize("status", [Status.IN_PROGRESS, Status.SERVED, Status.NO_SHOW])
def test_only_appointments_that_have_not_started_can_be_reassigned(
    status: Status, maple: Maple, kim: StaffMember
) -> None:
    appointment = make_appointment(maple.review, maple.sam, maple.cleo, monday(10), status=status)

    assert not is_movable(appointment)
    assert sentence_of(lambda: reassign(maple, appointment, kim)) == (
        f"An appointment that is “{status.label}” cannot be moved."
    )


def test_an_arrived_client_can_be_reassigned_to_a_colleague(maple: Maple, kim: StaffMember) -> None:
    appointment = make_appointment(maple.review, maple.sam, maple.cleo, monday(10), status=Status.ARRIVED)

    assert reassign(maple, appointment, kim).staff == kim


def test_a_client_who_arrived_cannot_move_it_online(maple: Maple) -> None:
    appointment = make_appointment(maple.review, maple.sam, maple.cleo, monday(10), status=Status.ARRIVED)

    assert (
        sentence_of(
            lambda: move_appointment(appointment, starts_at=monday(14), actor=None, through=BookedThrough.CLIENT_VIEW)
        )
        == "An appointment that is “Arrived” cannot be moved."
    )


# --- versions ---------------------------------------------------------------------------------------
def test_a_move_is_refused_after_a_colleague_moved_it(maple: Maple, kim: StaffMember) -> None:
    seen = maple.book()
    move_appointment(seen, starts_at=monday(14), actor=maple.sky, through=BookedThrough.SCHEDULE)

    sentence = sentence_of(
        lambda: move_appointment(
            seen, starts_at=monday(16), actor=kim, through=BookedThrough.SCHEDULE, version=seen.version
        )
    )

    seen.refresh_from_db()
    assert (seen.starts_at, seen.version) == (monday(14), 1)
    assert sentence == (
        "Sky Larsen changed this appointment meanwhile: Moved from Mon 30 Nov 2026, 10:00 UTC to "
        "Mon 30 Nov 2026, 14:00 UTC. Look at it again."
    )


def test_a_move_is_refused_after_the_client_moved_it(maple: Maple) -> None:
    seen = maple.book()
    move_appointment(seen, starts_at=monday(14), actor=None, through=BookedThrough.CLIENT_VIEW)

    assert sentence_of(
        lambda: move_appointment(seen, starts_at=monday(16), actor=maple.sky, through=BookedThrough.SCHEDULE, version=0)
    ).startswith("The client changed this appointment meanwhile: Moved from ")


def test_two_identical_changes_both_succeed(maple: Maple) -> None:
    seen = maple.book()
    for _ in range(2):
        moved = move_appointment(seen, starts_at=monday(14), actor=maple.sky, through=BookedThrough.SCHEDULE, version=0)

    assert (moved.starts_at, moved.version, moved.events.count()) == (monday(14), 1, 2)


def test_a_page_older_than_a_reassign_changes_nothing(maple: Maple, kim: StaffMember) -> None:
    seen = maple.book()
    reassign(maple, Appointment.objects.get(pk=seen.pk), kim)

    assert sentence_of(lambda: reassign(maple, seen, maple.sam, version=seen.version)) == (
        "Sky Larsen changed this appointment meanwhile: Reassigned from Sam Okafor to Kim Ito. Look at it again."
    )


# --- emails -----------------------------------------------------------------------------------------
def notifications() -> list[tuple[str, str, str]]:
    rows = Notification.objects.filter(email__state="waiting").order_by("audience")
    return [(row.audience, row.to, row.kind) for row in rows.select_related("email")]


def test_a_reassign_notifies_the_client_and_both_staff_members(maple: Maple, kim: StaffMember) -> None:
    appointment = maple.book()
    OutboxEmail.objects.update(state="sent")

    reassign(maple, appointment, kim)

    assert notifications() == [
        ("client", "cleo@example.com", Kind.REASSIGNED),
        ("former", maple.sam.email, Kind.CANCELLED),
        ("staff", kim.email, Kind.REASSIGNED),
    ]


def test_staff_who_were_never_notified_get_no_cancellation(maple: Maple, kim: StaffMember) -> None:
    reassign(maple, maple.book(), kim)

    assert notifications() == [
        ("client", "cleo@example.com", Kind.BOOKED),
        ("staff", kim.email, Kind.REASSIGNED),
    ]


def test_a_move_after_a_reassign_still_notifies_the_previous_staff_member(maple: Maple, kim: StaffMember) -> None:
    appointment = maple.book()
    OutboxEmail.objects.update(state="sent")

    after = reassign(maple, appointment, kim)
    move_appointment(after, starts_at=monday(14), actor=maple.sky, through=BookedThrough.SCHEDULE)

    assert notifications() == [
        ("client", "cleo@example.com", Kind.CHANGED),
        ("former", maple.sam.email, Kind.CANCELLED),
        ("staff", kim.email, Kind.REASSIGNED),
    ]


def test_a_reassign_and_its_reversal_notify_no_one(maple: Maple, kim: StaffMember) -> None:
    appointment = maple.book()
    OutboxEmail.objects.update(state="sent")

    reassign(maple, reassign(maple, appointment, kim), maple.sam)

    assert notifications() == []


def test_a_reassign_and_its_reversal_at_another_time_notify_of_the_move(maple: Maple, kim: StaffMember) -> None:
    appointment = maple.book()
    OutboxEmail.objects.update(state="sent")

    after = reassign(maple, appointment, kim)
    move_appointment(after, starts_at=monday(14), staff=maple.sam, actor=maple.sky, through=BookedThrough.SCHEDULE)

    assert notifications() == [
        ("client", "cleo@example.com", Kind.CHANGED),
        ("staff", maple.sam.email, Kind.CHANGED),
    ]
