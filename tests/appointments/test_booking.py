from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appointments.models import Appointment, BookedThrough, Status
from appointments.moving import move_appointment
from appointments.refusals import BookingRefused, TimeTaken
from appointments.statuses import cancel_appointment
from integrations.models import Meeting, UserMatch, Wanted
from services.models import MeetingMethod, OfferedTo
from staff.models import Role, TimeOff, VideoChoice
from tests.appointments.conftest import MONDAY, Maple, monday
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


def timeline(appointment: Appointment) -> list[str]:
    return list(appointment.events.values_list("text", flat=True))


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

    assert (event.text, event.actor, event.through) == (
        "Booked for Mon 30 Nov 2026, 10:00 UTC.",
        maple.sky,
        BookedThrough.SCHEDULE,
    )


def test_at_location_means_where_the_staff_member_works(maple: Maple) -> None:
    maple.sam.location = make_location(maple.organization)
    maple.sam.save()

    assert maple.book().location == maple.sam.location


def test_seconds_are_dropped(maple: Maple) -> None:
    assert maple.book(starts_at=monday(10).replace(second=59, microsecond=7)).starts_at == monday(10)


# --- refusals ---------------------------------------------------------------------------------------
def refusal(book: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(BookingRefused) as refused:
        book()
    return refused.value.field, refused.value.sentence


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

    assert refusal(maple.book) == (
        "starts_at",
        "Sam Okafor is off at Mon 30 Nov 2026, 10:00. Choose another time.",
    )


@pytest.mark.parametrize("start", [monday(8, 45), monday(16, 45), MONDAY - timedelta(days=1, hours=-10)])
def test_outside_working_hours_is_refused(start: datetime, maple: Maple) -> None:
    field, sentence = refusal(lambda: maple.book(starts_at=start))

    assert (field, sentence.endswith("is outside the working hours of Sam Okafor. Choose another time.")) == (
        "starts_at",
        True,
    )


def test_staff_may_book_outside_working_hours(maple: Maple) -> None:
    assert maple.book(starts_at=monday(7), outside_hours=True).starts_at == monday(7)


def test_clients_may_not_book_outside_working_hours(maple: Maple) -> None:
    assert refusal(lambda: maple.book_online(starts_at=monday(7), outside_hours=True))[0] == "starts_at"


def test_the_past_is_refused(maple: Maple) -> None:
    assert refusal(lambda: maple.book(starts_at=datetime(2026, 11, 27, 11, 45, tzinfo=UTC))) == (
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
def test_the_services_rules_hold_for_clients(rule: dict[str, Any], sentence: str, maple: Maple) -> None:
    service = make_service(maple.organization, "Loan", provided_by=(maple.sam,), **rule)

    assert refusal(lambda: maple.book_online(service=service))[1] == sentence


@pytest.mark.parametrize(
    "rule", [{"minimum_notice": 60 * 24 * 3}, {"booking_horizon_days": 2}, {"public": False}]
)
def test_staff_decide_on_notice_horizon_and_what_is_public(rule: dict[str, Any], maple: Maple) -> None:
    service = make_service(maple.organization, "Loan", provided_by=(maple.sam,), **rule)

    assert maple.book(service=service).service == service


def test_an_inactive_service_is_refused_for_staff_too(maple: Maple) -> None:
    service = make_service(maple.organization, "Loan", provided_by=(maple.sam,), active=False)

    assert refusal(lambda: maple.book(service=service)) == (
        "service",
        "“Loan” cannot be booked at the moment. Choose another service.",
    )


def test_clients_choose_from_the_quarter_hours(maple: Maple) -> None:
    assert refusal(lambda: maple.book_online(starts_at=monday(10, 7))) == (
        "starts_at",
        "Choose one of the times that are offered.",
    )


def test_staff_choose_any_minute(maple: Maple) -> None:
    assert maple.book(starts_at=monday(10, 7)).starts_at == monday(10, 7)


def test_staff_who_do_not_provide_the_service_are_refused(maple: Maple) -> None:
    make_hours(maple.sky)

    assert refusal(lambda: maple.book(staff=maple.sky)) == (
        "staff",
        "Sky Larsen does not provide “Mortgage review”. Choose somebody who does, or another service.",
    )


def test_staff_who_left_are_refused(maple: Maple) -> None:
    maple.sam.is_active = False
    maple.sam.save()

    assert refusal(maple.book) == ("staff", "Sam Okafor no longer takes appointments. Choose somebody else.")


def test_a_method_that_is_not_offered_is_refused(maple: Maple) -> None:
    service = make_service(
        maple.organization, "Loan", methods=(MeetingMethod.PHONE,), provided_by=(maple.sam,)
    )

    assert refusal(lambda: maple.book(service=service)) == (
        "method",
        "“Loan” is not offered this way. Choose another meeting method.",
    )


def test_a_method_offered_to_staff_only_is_refused_to_clients_only(maple: Maple) -> None:
    maple.review.meeting_methods.update(offered_to=OfferedTo.STAFF)

    assert refusal(maple.book_online)[0] == "method"
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
def test_a_client_must_be_reachable_the_way_the_method_needs(
    method: MeetingMethod, missing: dict[str, str], sentence: str, maple: Maple
) -> None:
    ned = make_client(maple.organization, "Ned", **missing)

    assert refusal(lambda: maple.book(client=ned, method=method)) == ("client", sentence)


def test_a_client_without_email_is_booked_at_the_location(maple: Maple) -> None:
    ned = make_client(maple.organization, "Ned", email="")

    assert maple.book(client=ned).client == ned


@pytest.mark.parametrize("field", ["service", "staff", "client", "location", "actor"])
def test_nothing_of_another_organisation_can_be_booked(field: str, maple: Maple) -> None:
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
    assert refusal(lambda: maple.book(**{field: foreign[field]})) == (
        expected_field,
        "That choice is not available here. Choose another one.",
    )
    assert not Appointment.objects.exists()


# --- video ------------------------------------------------------------------------------------------
def test_a_video_appointment_has_a_meeting_of_its_own(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)

    meeting = Meeting.objects.get(appointment=appointment)
    assert (meeting.subject, meeting.host, meeting.starts_at, meeting.ends_at) == (
        "Mortgage review, Maple Credit Union",
        maple_with_teams.sam,
        monday(10),
        monday(10, 30),
    )
    assert appointment.personal_meeting_url == ""


def test_a_personal_link_is_used_where_it_is_the_choice(maple_with_teams: Maple) -> None:
    sam = maple_with_teams.sam
    sam.video_choice, sam.personal_meeting_url = VideoChoice.PERSONAL, "https://meet.example/sam"
    sam.save()

    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)

    assert (appointment.personal_meeting_url, appointment.meeting) == ("https://meet.example/sam", None)


def test_somebody_who_cannot_host_is_refused_with_the_remedy(maple_with_teams: Maple) -> None:
    UserMatch.objects.update(enabled=False)

    assert refusal(lambda: maple_with_teams.book(method=MeetingMethod.VIDEO)) == (
        "staff",
        "Video Calls is off for Sam Okafor. An admin can turn it on under Settings > Video Calls.",
    )


def test_somebody_who_cannot_host_is_booked_at_the_location(maple: Maple) -> None:
    assert maple.book().meeting is None


# --- a repeated submit ------------------------------------------------------------------------------
def test_a_repeated_key_is_the_same_appointment(maple: Maple) -> None:
    first = maple.book(request_key="form-1")

    assert maple.book(request_key="form-1") == first
    assert timeline(first) == ["Booked for Mon 30 Nov 2026, 10:00 UTC."]


def test_a_repeated_key_with_somebody_else_is_the_same_appointment(maple: Maple) -> None:
    kim = make_member(maple.organization, "Kim")
    first = maple.book(request_key="form-1")

    assert maple.book(request_key="form-1", staff=kim) == first


def test_the_same_key_elsewhere_is_another_appointment(maple: Maple) -> None:
    cedar = make_organization("Cedar Bank")
    otto = make_member(cedar, "Otto Lind", Role.ADMIN)
    theirs = make_appointment(make_service(cedar), otto, make_client(cedar), monday(10), request_key="form-1")

    assert maple.book(request_key="form-1") != theirs


@pytest.mark.parametrize("key", ["", None])
def test_without_a_key_every_booking_is_its_own(key: str | None, maple: Maple) -> None:
    first = maple.book(request_key=key)

    assert maple.book(request_key=key, starts_at=monday(11)) != first


# --- moving -----------------------------------------------------------------------------------------
def move(maple: Maple, appointment: Appointment, starts_at: datetime, **changes: Any) -> Appointment:
    arguments = {"starts_at": starts_at, "actor": maple.sky, "through": BookedThrough.SCHEDULE, **changes}
    return move_appointment(appointment, **arguments)


def move_online(appointment: Appointment, starts_at: datetime) -> Appointment:
    return move_appointment(appointment, starts_at=starts_at, actor=None, through=BookedThrough.CLIENT_VIEW)


def test_a_move_keeps_length_buffers_and_links(maple_with_teams: Maple) -> None:
    service = maple_with_teams.review
    service.buffer_after = 15
    service.save()
    before = maple_with_teams.book(method=MeetingMethod.VIDEO)
    service.duration, service.buffer_after = 60, 0
    service.save()

    after = move(maple_with_teams, before, monday(14))

    assert (after.starts_at, after.ends_at, after.busy_to) == (monday(14), monday(14, 30), monday(14, 45))
    assert (after.manage_token, after.join_token, after.meeting_id) == (
        before.manage_token,
        before.join_token,
        before.meeting_id,
    )


def test_a_move_before_the_link_is_made_asks_for_the_new_time(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)

    move(maple_with_teams, appointment, monday(14))

    meeting = Meeting.objects.get()
    assert (meeting.version, meeting.starts_at, meeting.ends_at) == (2, monday(14), monday(14, 30))


def test_a_move_is_noted(maple: Maple) -> None:
    appointment = move(maple, maple.book(), monday(14))

    assert timeline(appointment)[1:] == [
        "Moved from Mon 30 Nov 2026, 10:00 UTC to Mon 30 Nov 2026, 14:00 UTC."
    ]


def test_a_move_to_the_same_time_changes_nothing(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)

    move(maple_with_teams, appointment, monday(10))

    assert (len(timeline(appointment)), Meeting.objects.get().version) == (1, 1)
    assert appointment.notifications.count() == 2


def test_a_move_may_overlap_the_appointments_own_time(maple: Maple) -> None:
    assert move(maple, maple.book(), monday(10, 15)).starts_at == monday(10, 15)


def test_a_move_onto_somebody_elses_time_is_refused(maple: Maple) -> None:
    maple.book(starts_at=monday(11))
    appointment = maple.book()

    with pytest.raises(TimeTaken) as taken:
        move(maple, appointment, monday(10, 45))

    appointment.refresh_from_db()
    assert appointment.starts_at == monday(10)
    assert taken.value.next_free == [monday(11, 30), monday(11, 45), monday(12)]


def test_somebody_who_can_no_longer_host_still_moves_what_is_booked(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)
    UserMatch.objects.update(enabled=False)

    assert move(maple_with_teams, appointment, monday(14)).starts_at == monday(14)


def test_what_is_booked_with_somebody_who_left_is_cancelled_and_not_moved(maple: Maple) -> None:
    appointment = maple.book()
    maple.sam.is_active = False
    maple.sam.save()

    assert refusal(lambda: move(maple, appointment, monday(14))) == (
        "staff",
        "Sam Okafor no longer takes appointments. Choose somebody else.",
    )
    assert cancel(appointment).status == Status.CANCELLED


def test_clients_move_within_notice_and_hours(maple: Maple) -> None:
    maple.review.minimum_notice = 60 * 24 * 3
    maple.review.save()
    appointment = maple.book()

    assert refusal(lambda: move_online(appointment, monday(11)))[1] == (
        "That is too soon to be booked. Choose a later time."
    )
    assert refusal(lambda: move_online(appointment, monday(18) + timedelta(days=1)))[1].endswith(
        "is outside the working hours of Sam Okafor. Choose another time."
    )


def test_nobody_of_another_organisation_moves_it(maple: Maple) -> None:
    otto = make_member(make_organization("Cedar Bank"), "Otto Lind", Role.ADMIN)
    appointment = maple.book()

    refusal(lambda: move(maple, appointment, monday(11), actor=otto))

    appointment.refresh_from_db()
    assert appointment.starts_at == monday(10)


# --- cancelling -------------------------------------------------------------------------------------
def cancel(appointment: Appointment, through: BookedThrough = BookedThrough.SCHEDULE) -> Appointment:
    return cancel_appointment(appointment, actor=None, through=through)


def test_a_cancel_lets_the_meeting_go(maple_with_teams: Maple) -> None:
    appointment = cancel(maple_with_teams.book(method=MeetingMethod.VIDEO))

    assert (appointment.status, Meeting.objects.get().wanted) == (Status.CANCELLED, Wanted.GONE)
    assert timeline(appointment)[1:] == ["Cancelled."]


@pytest.mark.parametrize("change", [cancel, lambda appointment: move_online(appointment, monday(11))])
def test_what_is_cancelled_stays_so(change: Callable[[Appointment], object], maple: Maple) -> None:
    appointment = maple.book()
    cancel(appointment)

    assert refusal(lambda: change(appointment)) == (
        "",
        "This appointment was cancelled already. Book a new one.",
    )


@pytest.mark.parametrize("change", [cancel, lambda appointment: move_online(appointment, monday(11))])
def test_what_is_over_stays_as_it_is(change: Callable[[Appointment], object], maple: Maple) -> None:
    appointment = make_appointment(
        maple.review, maple.sam, maple.cleo, datetime(2026, 11, 27, 11, 30, tzinfo=UTC)
    )

    assert refusal(lambda: change(appointment))[0] == ""
    appointment.refresh_from_db()
    assert appointment.status == Status.CONFIRMED


def test_what_has_begun_is_cancelled_by_staff_only(maple: Maple) -> None:
    appointment = make_appointment(
        maple.review, maple.sam, maple.cleo, datetime(2026, 11, 27, 11, 45, tzinfo=UTC)
    )

    assert refusal(lambda: cancel(appointment, BookedThrough.CLIENT_VIEW)) == (
        "",
        "This appointment has begun. Please call us.",
    )
    assert cancel(appointment).status == Status.CANCELLED


@pytest.mark.parametrize("status", [Status.IN_PROGRESS, Status.SERVED, Status.NO_SHOW])
def test_only_what_is_still_to_come_is_moved_or_cancelled(status: Status, maple: Maple) -> None:
    appointment = make_appointment(maple.review, maple.sam, maple.cleo, monday(10), status=status)

    assert refusal(lambda: cancel(appointment)) == (
        "",
        f"An appointment that is “{status.label}” cannot become “Cancelled”.",
    )
    assert refusal(lambda: move(maple, appointment, monday(11))) == (
        "",
        f"An appointment that is “{status.label}” cannot be moved.",
    )
