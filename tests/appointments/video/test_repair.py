"""Link repairs: each link is created once and each client notified at most once."""

from __future__ import annotations

from typing import Any

import pytest

from appointments.booking_rules.errors import BookingError
from appointments.changes.move import reassign_appointment
from appointments.models import Appointment, Notification, NotificationKind, Status
from appointments.timeline import event_text
from appointments.video import repair
from appointments.video.missing_links import with_other_link, without_link
from appointments.video.repair import RepairResult, repair_link, repair_links
from integrations.models import (
    ConnectionStatus,
    DesiredState,
    DirectoryState,
    Meeting,
    MeetingState,
    UserMatch,
)
from integrations.platforms.failures import ErrorKind
from services.models import MeetingMethod
from staff.models import OutboxEmail, Role, StaffMember, VideoChoice
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment, make_connection, make_match, make_member, make_organization
from tests.messages import message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]

FAILED: dict[str, Any] = {"due_at": None, "error_kind": ErrorKind.PERSON, "error": message("No licence.")}
MINE = "https://meet.example/sam"


def without_request(maple: Maple, hour: int = 10, **fields: Any) -> Appointment:
    return make_appointment(maple.review, maple.sam, maple.cleo, monday(hour), method=MeetingMethod.VIDEO, **fields)


def booked(maple: Maple, hour: int = 10, **meeting: Any) -> Appointment:
    """Return a video appointment whose meeting has these values."""
    appointment = maple.book(method=MeetingMethod.VIDEO, starts_at=monday(hour))
    Meeting.objects.filter(appointment=appointment).update(**meeting)
    OutboxEmail.objects.update(state="sent")
    return fresh(appointment)


def ready(maple: Maple, hour: int = 10) -> Appointment:
    return booked(maple, hour, due_at=None, join_url="https://meet.example/1", remote_id="1", synced_version=1)


def fresh(appointment: Appointment) -> Appointment:
    return Appointment.objects.select_related("meeting", "staff", "organization").get(pk=appointment.pk)


def choose_personal(member: StaffMember, url: str = MINE) -> None:
    member.video_choice, member.personal_meeting_url = VideoChoice.PERSONAL, url
    member.save()


def last_line(appointment: Appointment) -> tuple[str, str]:
    event = appointment.events.select_related("actor").order_by("-pk")[0]
    return event_text(event), event.actor.name if event.actor else ""


# --- Without a link -------------------------------------------------------------------------------------


def test_an_appointment_that_never_had_a_meeting_gets_one(maple_with_teams: Maple, ada: StaffMember) -> None:
    appointment = without_request(maple_with_teams)

    assert repair_link(appointment, actor=ada)

    meeting = Meeting.objects.get()
    now = fresh(appointment)
    assert (now.meeting, now.version, meeting.state) == (meeting, 1, MeetingState.PENDING)
    assert (meeting.host, meeting.starts_at) == (maple_with_teams.sam, monday(10))
    assert last_line(now) == ("A link was requested.", "Ada Quist")


def test_a_failed_meeting_is_tried_again(maple_with_teams: Maple, ada: StaffMember) -> None:
    appointment = booked(maple_with_teams, attempts=4, **FAILED)

    repair_link(appointment, actor=ada)

    meeting = Meeting.objects.get()
    assert (fresh(appointment).meeting, meeting.state) == (meeting, MeetingState.PENDING)
    assert (meeting.error_kind, str(meeting.error), meeting.attempts) == ("", "", 0)


def test_a_meeting_that_failed_on_another_connection_is_replaced(maple_with_teams: Maple, ada: StaffMember) -> None:
    appointment = booked(maple_with_teams, **FAILED)
    here = move_to_another_connection(maple_with_teams)

    repair_link(appointment, actor=ada)

    now = Meeting.objects.get(appointment=appointment)
    before = Meeting.objects.exclude(pk=now.pk).get()
    assert (now.connection, before.desired_state, before.replaced_by) == (here, DesiredState.ABSENT, now)


def move_to_another_connection(maple: Maple) -> Any:
    other = make_connection(maple.organization, is_default=False, account_oid="2")
    make_match(other, maple.sam)
    maple.sam.video_choice, maple.sam.video_connection = VideoChoice.CONNECTION, other
    maple.sam.save()
    return other


def test_a_chosen_personal_link_is_used(maple_with_teams: Maple, ada: StaffMember) -> None:
    appointment = booked(maple_with_teams, **FAILED)
    choose_personal(maple_with_teams.sam)

    repair_link(appointment, actor=ada)

    now = fresh(appointment)
    assert (now.meeting, now.personal_meeting_url, Meeting.objects.get().desired_state) == (
        None,
        MINE,
        DesiredState.ABSENT,
    )


def test_a_second_click_finds_nothing_to_do(maple_with_teams: Maple, ada: StaffMember) -> None:
    appointment = without_request(maple_with_teams)
    repair_link(appointment, actor=ada)

    assert not repair_link(appointment, actor=ada)

    assert (Meeting.objects.count(), fresh(appointment).version, appointment.events.count()) == (1, 1, 1)


def test_a_person_who_cannot_host_is_refused_with_the_remedy(maple_with_teams: Maple, ada: StaffMember) -> None:
    appointment = without_request(maple_with_teams)
    UserMatch.objects.update(directory=DirectoryState.UNMATCHED)

    with pytest.raises(BookingError) as refused:
        repair_link(appointment, actor=ada)

    assert refused.value.sentence == (
        "Sam Okafor is not matched with a user of Microsoft Teams. An admin can see why, and what to do, under "
        "Settings > Video Calls."
    )
    assert (fresh(appointment).version, appointment.events.count()) == (0, 0)


def test_a_failed_meeting_stays_if_no_link_can_be_created(maple_with_teams: Maple, ada: StaffMember) -> None:
    appointment = booked(maple_with_teams, **FAILED)
    UserMatch.objects.update(directory=DirectoryState.UNMATCHED)

    with pytest.raises(BookingError):
        repair_link(appointment, actor=ada)

    assert (Meeting.objects.get().state, str(Meeting.objects.get().error)) == ("failed", "No licence.")


@pytest.mark.parametrize("fields", [{"status": Status.CANCELLED}, {"method": MeetingMethod.PHONE}])
def test_an_appointment_that_changed_meanwhile_is_left_alone(
    maple_with_teams: Maple, ada: StaffMember, fields: dict[str, Any]
) -> None:
    appointment = without_request(maple_with_teams)
    Appointment.objects.update(**fields)

    with pytest.raises(BookingError):
        repair_link(appointment, actor=ada)

    assert not Meeting.objects.exists()


def test_an_appointment_that_was_reassigned_meanwhile_is_left_alone(
    maple_with_teams: Maple, ada: StaffMember, tess: StaffMember
) -> None:
    appointment = booked(maple_with_teams, **FAILED)
    make_match(maple_with_teams.organization.connections.get(), tess)
    reassign_appointment(appointment, staff=tess, actor=ada, through="schedule", outside_hours=True, version=None)

    with pytest.raises(BookingError, match="Reassigned from Sam Okafor to Tess Moor"):
        repair_link(appointment, actor=ada)


def test_an_admin_of_another_organisation_cannot_create_a_link(maple_with_teams: Maple) -> None:
    otto = make_member(make_organization("Cedar Bank"), "Otto Weber", Role.ADMIN)
    appointment = without_request(maple_with_teams)

    with pytest.raises(BookingError):
        repair_link(appointment, actor=otto)

    assert not Meeting.objects.exists()


# --- Emails ---------------------------------------------------------------------------------------------


def kinds() -> list[tuple[str, str]]:
    rows = Notification.objects.filter(email__state="waiting").order_by("audience")
    return [(row.audience, row.kind) for row in rows]


def test_a_client_without_a_link_gets_one_email(maple_with_teams: Maple, ada: StaffMember) -> None:
    appointment = without_request(maple_with_teams)

    repair_link(appointment, actor=ada)
    repair_link(appointment, actor=ada)

    assert kinds() == [("client", NotificationKind.CHANGED), ("staff", NotificationKind.CHANGED)]


def test_a_client_with_our_join_link_gets_no_email(maple_with_teams: Maple, ada: StaffMember) -> None:
    repair_link(booked(maple_with_teams, **FAILED), actor=ada)

    assert kinds() == []


# --- With another link -----------------------------------------------------------------------------------


def test_a_link_that_works_is_kept(maple_with_teams: Maple, ada: StaffMember) -> None:
    appointment = ready(maple_with_teams)
    move_to_another_connection(maple_with_teams)

    assert not repair_link(appointment, actor=ada)
    assert Meeting.objects.get().desired_state == DesiredState.PRESENT


def test_a_link_that_works_is_replaced_if_an_admin_requests_it(maple_with_teams: Maple, ada: StaffMember) -> None:
    appointment = ready(maple_with_teams)
    here = move_to_another_connection(maple_with_teams)

    assert repair_link(appointment, actor=ada, replacing=True)
    assert not repair_link(appointment, actor=ada, replacing=True)

    now = fresh(appointment)
    assert Meeting.objects.get(appointment=now).connection == here
    assert (now.version, last_line(now), kinds()) == (1, ("The link was replaced.", "Ada Quist"), [])


def test_a_personal_link_that_is_no_longer_used_is_replaced(maple_with_teams: Maple, ada: StaffMember) -> None:
    appointment = without_request(maple_with_teams, personal_meeting_url=MINE)

    repair_link(appointment, actor=ada, replacing=True)

    now = fresh(appointment)
    assert (now.personal_meeting_url, now.meeting) == ("", Meeting.objects.get())


def test_a_link_on_the_current_platform_is_not_replaced(maple_with_teams: Maple, ada: StaffMember) -> None:
    appointment = ready(maple_with_teams)

    assert not repair_link(appointment, actor=ada, replacing=True)


def elsewhere(maple: Maple) -> list[Appointment]:
    return list(with_other_link(maple.organization))


def test_links_on_the_current_platform_are_not_listed(maple_with_teams: Maple) -> None:
    ready(maple_with_teams)

    assert elsewhere(maple_with_teams) == []


def test_a_link_on_another_connection_is_listed(maple_with_teams: Maple) -> None:
    appointment = ready(maple_with_teams)
    move_to_another_connection(maple_with_teams)

    assert elsewhere(maple_with_teams) == [appointment]


def test_a_link_on_another_default_is_listed(maple_with_teams: Maple) -> None:
    appointment = ready(maple_with_teams)
    maple_with_teams.organization.connections.update(is_default=False)
    make_match(make_connection(maple_with_teams.organization, account_oid="2"), maple_with_teams.sam)

    assert elsewhere(maple_with_teams) == [appointment]


def test_a_link_of_a_disconnected_connection_is_listed_once_there_is_another(
    maple_with_teams: Maple,
) -> None:
    appointment = ready(maple_with_teams)
    maple_with_teams.organization.connections.update(is_default=False, status=ConnectionStatus.DISCONNECTED)
    before = elsewhere(maple_with_teams)
    make_match(make_connection(maple_with_teams.organization, account_oid="2"), maple_with_teams.sam)

    assert (before, elsewhere(maple_with_teams)) == ([], [appointment])


def test_a_teams_link_of_staff_with_a_personal_link_is_listed(maple_with_teams: Maple) -> None:
    appointment = ready(maple_with_teams)
    choose_personal(maple_with_teams.sam)

    assert elsewhere(maple_with_teams) == [appointment]


def test_only_a_different_personal_link_is_listed(maple_with_teams: Maple) -> None:
    choose_personal(maple_with_teams.sam)
    other = without_request(maple_with_teams, 10, personal_meeting_url="https://meet.example/old")
    without_request(maple_with_teams, 11, personal_meeting_url=MINE)

    assert elsewhere(maple_with_teams) == [other]


def test_appointments_without_a_link_are_not_listed_twice(maple_with_teams: Maple) -> None:
    booked(maple_with_teams, **FAILED)
    move_to_another_connection(maple_with_teams)

    assert elsewhere(maple_with_teams) == []


@pytest.mark.parametrize("status", [Status.ARRIVED, Status.IN_PROGRESS])
def test_a_call_with_an_arrived_client_is_not_listed(maple_with_teams: Maple, status: Status) -> None:
    ready(maple_with_teams)
    move_to_another_connection(maple_with_teams)
    Appointment.objects.update(status=status)

    assert elsewhere(maple_with_teams) == []


# --- Many -----------------------------------------------------------------------------------------------


def test_refused_appointments_of_a_batch_are_skipped(
    maple_with_teams: Maple, ada: StaffMember, tess: StaffMember
) -> None:
    for hour in (10, 11):
        without_request(maple_with_teams, hour)
    make_appointment(maple_with_teams.review, tess, maple_with_teams.cleo, monday(10), method=MeetingMethod.VIDEO)

    done = repair_links(list(without_link(maple_with_teams.organization)), actor=ada)

    assert (done, Meeting.objects.count()) == (RepairResult(changed=2, skipped=1), 2)


def test_an_unexpected_error_of_one_appointment_does_not_stop_the_batch(
    maple_with_teams: Maple, ada: StaffMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned, other = (without_request(maple_with_teams, hour) for hour in (10, 11))
    request_link = repair._request_link

    def request_or_break(appointment: Appointment, actor: StaffMember, *, replacing: bool) -> None:
        if appointment.pk == poisoned.pk:
            raise ValueError
        request_link(appointment, actor, replacing=replacing)

    monkeypatch.setattr(repair, "_request_link", request_or_break)

    result = repair_links([poisoned, other], actor=ada)

    assert result == RepairResult(changed=1, skipped=1)


def test_a_large_batch_enqueues_one_sweep(
    maple_with_teams: Maple,
    ada: StaffMember,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    sent: list[str] = []

    def send_each(task: str, calls: list[tuple[object, ...]], **options: object) -> bool:
        sent.extend(task for _ in calls)
        return True

    monkeypatch.setattr("coconut.task_queue.send_each", send_each)
    for hour in (10, 11):
        without_request(maple_with_teams, hour)

    with django_capture_on_commit_callbacks(execute=True):
        repair_links(list(without_link(maple_with_teams.organization)), actor=ada)

    assert [task for task in sent if "meeting" in task] == ["integrations.sweep_meetings"]
    assert list(Meeting.objects.values_list("enqueued_at", flat=True)) == [None, None]
