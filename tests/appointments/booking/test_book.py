"""Bookings: rules, refusals, video calls and repeated submits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appointments.booking_rules.errors import TimeTaken
from appointments.changes.status import cancel_appointment
from appointments.models import Appointment, BookedThrough, Status
from appointments.timeline import event_text
from integrations.models import Meeting, UserMatch
from services.models import MeetingMethod, OfferedTo
from staff.models import Role, TimeOff, VideoChoice
from tests.appointments.conftest import MONDAY, Maple, monday
from tests.appointments.outcomes import booking_error, timeline
from tests.factories import (
    make_appointment,
    make_client,
    make_hours,
    make_location,
    make_member,
    make_organization,
    make_service,
)

pytestmark = pytest.mark.usefixtures("friday")


def test_a_booking_takes_the_services_length_and_buffers(maple: Maple) -> None:
    service = make_service(
        maple.organization,
        "Loan",
        provided_by=(maple.sam,),
        duration=45,
        buffer_before=10,
        buffer_after=5,
    )

    appointment = maple.book(service=service, client_note="First house", internal_note="VIP")

    appointment.refresh_from_db()
    assert [appointment.busy_from, appointment.starts_at, appointment.ends_at, appointment.busy_to] == [
        monday(9, 50),
        monday(10),
        monday(10, 45),
        monday(10, 50),
    ]
    assert (appointment.client_note, appointment.internal_note) == ("First house", "VIP")
    assert (appointment.status, appointment.booked_by) == (Status.CONFIRMED, maple.sky)


def test_a_booking_begins_the_timeline(maple: Maple) -> None:
    event = maple.book().events.get()

    assert (event_text(event), event.actor, event.through) == (
        "Booked for Mon 30 Nov 2026, 10:00 UTC.",
        maple.sky,
        BookedThrough.SCHEDULE,
    )


def test_a_meeting_at_a_location_uses_the_staff_members_location(maple: Maple) -> None:
    maple.sam.location = make_location(maple.organization)
    maple.sam.save()

    assert maple.book().location == maple.sam.location


def test_seconds_are_dropped(maple: Maple) -> None:
    assert maple.book(starts_at=monday(10).replace(second=59, microsecond=7)).starts_at == monday(10)


# --- refusals ---------------------------------------------------------------------------------------
def test_a_taken_time_is_answered_with_the_next_free_ones(maple: Maple) -> None:
    maple.book()

    with pytest.raises(TimeTaken) as taken:
        maple.book(starts_at=monday(10, 15))

    assert (taken.value.field, taken.value.sentence) == (
        "starts_at",
        "Sam Okafor is not free at Mon 30 Nov 2026, 10:15. Choose another time.",
    )
    assert taken.value.next_free == [monday(10, 30), monday(10, 45), monday(11)]


def test_a_cancelled_appointment_frees_its_time(maple: Maple) -> None:
    cancel_appointment(maple.book(), actor=maple.sky, through=BookedThrough.SCHEDULE)

    assert maple.book().starts_at == monday(10)


def test_time_off_is_refused(maple: Maple) -> None:
    TimeOff.objects.create(staff=maple.sam, starts_at=monday(10, 15), ends_at=monday(12))

    assert booking_error(maple.book) == (
        "starts_at",
        "Sam Okafor is off at Mon 30 Nov 2026, 10:00. Choose another time.",
    )


@pytest.mark.parametrize("start", [monday(8, 45), monday(16, 45), MONDAY - timedelta(days=1, hours=-10)])
def test_outside_working_hours_is_refused(start: datetime, maple: Maple) -> None:
    field, sentence = booking_error(lambda: maple.book(starts_at=start))

    assert (field, sentence.endswith("is outside the working hours of Sam Okafor. Choose another time.")) == (
        "starts_at",
        True,
    )


def test_staff_can_book_outside_working_hours(maple: Maple) -> None:
    assert maple.book(starts_at=monday(7), outside_hours=True).starts_at == monday(7)


def test_clients_cannot_book_outside_working_hours(maple: Maple) -> None:
    assert booking_error(lambda: maple.book_online(starts_at=monday(7), outside_hours=True))[0] == "starts_at"


def test_a_past_time_is_refused(maple: Maple) -> None:
    assert booking_error(lambda: maple.book(starts_at=datetime(2026, 11, 27, 11, 45, tzinfo=UTC))) == (
        "starts_at",
        "That time has passed. Choose a later one.",
    )


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"minimum_notice": 60 * 24 * 3}, "That is too soon to be booked. Choose a later time."),
        ({"booking_horizon_days": 2}, "That is too far ahead. Choose a time in the next 2 days."),
        ({"active": False}, "“Loan” cannot be booked at the moment. Choose another service."),
        ({"public": False}, "“Loan” cannot be booked at the moment. Choose another service."),
    ],
)
def test_clients_must_follow_the_services_rules(rule: dict[str, Any], sentence: str, maple: Maple) -> None:
    service = make_service(maple.organization, "Loan", provided_by=(maple.sam,), **rule)

    assert booking_error(lambda: maple.book_online(service=service))[1] == sentence


@pytest.mark.parametrize("rule", [{"minimum_notice": 60 * 24 * 3}, {"booking_horizon_days": 2}, {"public": False}])
def test_staff_may_ignore_notice_horizon_and_public_services(rule: dict[str, Any], maple: Maple) -> None:
    service = make_service(maple.organization, "Loan", provided_by=(maple.sam,), **rule)

    assert maple.book(service=service).service == service


def test_an_inactive_service_is_refused_for_staff_too(maple: Maple) -> None:
    service = make_service(maple.organization, "Loan", provided_by=(maple.sam,), active=False)

    assert booking_error(lambda: maple.book(service=service)) == (
        "service",
        "“Loan” cannot be booked at the moment. Choose another service.",
    )


def test_clients_can_only_book_quarter_hours(maple: Maple) -> None:
    assert booking_error(lambda: maple.book_online(starts_at=monday(10, 7))) == (
        "starts_at",
        "Choose one of the times that are offered.",
    )


def test_staff_can_book_any_minute(maple: Maple) -> None:
    assert maple.book(starts_at=monday(10, 7)).starts_at == monday(10, 7)


def test_staff_who_do_not_provide_the_service_are_refused(maple: Maple) -> None:
    make_hours(maple.sky)

    assert booking_error(lambda: maple.book(staff=maple.sky)) == (
        "staff",
        "Sky Larsen does not provide “Mortgage review”. Choose someone who does, or another service.",
    )


def test_staff_who_left_are_refused(maple: Maple) -> None:
    maple.sam.is_active = False
    maple.sam.save()

    assert booking_error(maple.book) == (
        "staff",
        "Sam Okafor no longer takes appointments. Choose someone else.",
    )


def test_a_method_that_is_not_offered_is_refused(maple: Maple) -> None:
    service = make_service(maple.organization, "Loan", methods=(MeetingMethod.PHONE,), provided_by=(maple.sam,))

    assert booking_error(lambda: maple.book(service=service)) == (
        "method",
        "“Loan” is not offered this way. Choose another meeting method.",
    )


def test_a_method_offered_to_staff_only_is_refused_to_clients_only(maple: Maple) -> None:
    maple.review.meeting_methods.update(offered_to=OfferedTo.STAFF)

    assert booking_error(maple.book_online)[0] == "method"
    assert maple.book().method == MeetingMethod.AT_LOCATION


@pytest.mark.parametrize(
    ("method", "missing", "sentence"),
    [
        (
            MeetingMethod.PHONE,
            {"phone": ""},
            "Ned has no phone number to call. Add one, or choose another meeting method.",
        ),
        (
            MeetingMethod.VIDEO,
            {"email": ""},
            "Ned has no email to send the link to. Add one, or choose another meeting method.",
        ),
    ],
)
def test_a_client_needs_the_contact_details_of_the_method(
    method: MeetingMethod, missing: dict[str, str], sentence: str, maple: Maple
) -> None:
    ned = make_client(maple.organization, "Ned", **missing)

    assert booking_error(lambda: maple.book(client=ned, method=method)) == ("client", sentence)


def test_a_client_without_email_is_booked_at_the_location(maple: Maple) -> None:
    ned = make_client(maple.organization, "Ned", email="")

    assert maple.book(client=ned).client == ned


@pytest.mark.parametrize("field", ["service", "staff", "client", "location", "actor"])
def test_rows_of_another_organisation_cannot_be_booked(field: str, maple: Maple) -> None:
    cedar = make_organization("Cedar Bank")
    otto = make_member(cedar, "Otto Lind", Role.ADMIN)
    foreign = {
        "service": make_service(cedar, provided_by=(otto, maple.sam)),
        "staff": otto,
        "client": make_client(cedar),
        "location": make_location(cedar),
        "actor": otto,
    }

    expected_field = "" if field == "actor" else field
    assert booking_error(lambda: maple.book(**{field: foreign[field]})) == (
        expected_field,
        "That choice is not available here. Choose another one.",
    )
    assert not Appointment.objects.exists()


# --- video ------------------------------------------------------------------------------------------
def test_a_video_appointment_has_its_own_meeting(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)

    meeting = Meeting.objects.get(appointment=appointment)
    assert (meeting.subject, meeting.host, meeting.starts_at, meeting.ends_at) == (
        "Mortgage review, Maple Credit Union",
        maple_with_teams.sam,
        monday(10),
        monday(10, 30),
    )
    assert appointment.personal_meeting_url == ""


def test_a_chosen_personal_link_is_used_for_a_booking(maple_with_teams: Maple) -> None:
    sam = maple_with_teams.sam
    sam.video_choice, sam.personal_meeting_url = VideoChoice.PERSONAL, "https://meet.example/sam"
    sam.save()

    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)

    assert (appointment.personal_meeting_url, appointment.meeting) == ("https://meet.example/sam", None)


def test_staff_who_cannot_host_are_refused_with_the_remedy(maple_with_teams: Maple) -> None:
    UserMatch.objects.update(enabled=False)

    assert booking_error(lambda: maple_with_teams.book(method=MeetingMethod.VIDEO)) == (
        "staff",
        "Video Calls is off for Sam Okafor. An admin can turn it on under Settings > Video Calls.",
    )


def test_staff_who_cannot_host_can_be_booked_at_the_location(maple: Maple) -> None:
    assert maple.book().meeting is None


# --- a repeated submit ------------------------------------------------------------------------------
def test_a_repeated_key_is_the_same_appointment(maple: Maple) -> None:
    first = maple.book(request_key="form-1")

    assert maple.book(request_key="form-1") == first
    assert timeline(first) == ["Booked for Mon 30 Nov 2026, 10:00 UTC."]


def test_a_repeated_key_with_another_person_is_the_same_appointment(maple: Maple) -> None:
    kim = make_member(maple.organization, "Kim")
    first = maple.book(request_key="form-1")

    assert maple.book(request_key="form-1", staff=kim) == first


def test_the_same_key_in_another_organisation_is_another_appointment(maple: Maple) -> None:
    cedar = make_organization("Cedar Bank")
    otto = make_member(cedar, "Otto Lind", Role.ADMIN)
    theirs = make_appointment(make_service(cedar), otto, make_client(cedar), monday(10), request_key="form-1")

    assert maple.book(request_key="form-1") != theirs


@pytest.mark.parametrize("key", ["", None])
def test_bookings_without_a_key_are_separate(key: str | None, maple: Maple) -> None:
    first = maple.book(request_key=key)

    assert maple.book(request_key=key, starts_at=monday(11)) != first
