"""Drag and drop on the schedule: moved, confirmed first, or refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment, AppointmentEvent, Notification
from integrations.models import Connection, Meeting, UserMatch
from services.models import MeetingMethod
from staff.models import StaffMember, VideoChoice
from tests.appointments.conftest import Maple, monday
from tests.cast import signed_in
from tests.factories import make_client, make_match, make_member, make_organization

pytestmark = pytest.mark.usefixtures("friday")


@pytest.fixture
def booked(maple: Maple) -> Appointment:
    """An appointment at ten with a client without an email."""
    return maple.book(client=make_client(maple.organization, "Zoë 🥥", email=""))


def drag(browser: Browser, appointment: Appointment, to: datetime, **more: Any):
    drop = {
        "starts_at": to.replace(tzinfo=None).isoformat(),
        "staff": appointment.staff_id,
        "version": appointment.version,
        **more,
    }
    return browser.post(reverse("appointment-drag", args=[appointment.pk]), drop)


def places(appointment: Appointment) -> tuple[datetime, datetime, int]:
    appointment.refresh_from_db()
    return appointment.starts_at, appointment.ends_at, appointment.staff_id


def test_a_drop_moves_at_once_if_no_confirmation_is_needed(booked: Appointment, as_sky: Browser):
    response = drag(as_sky, booked, monday(11, 15))

    assert (response.status_code, response.json()["outcome"]) == (200, "moved")
    assert response.json()["sentence"] == "Zoë 🥥 is on Mon 30 Nov, 11:15–11:45 with Sam Okafor now."
    assert places(booked) == (monday(11, 15), monday(11, 45), booked.staff_id)


def test_undo_moves_back(maple: Maple, booked: Appointment, as_sky: Browser, tess: StaffMember):
    undo = drag(as_sky, booked, monday(11), staff=tess.pk).json()["undo"]

    response = as_sky.post(reverse("appointment-drag", args=[booked.pk]), undo)

    assert response.json()["outcome"] == "moved"
    assert places(booked) == (monday(10), monday(10, 30), maple.sam.pk)


def test_a_drop_on_another_column_reassigns(booked: Appointment, as_sky: Browser, tess: StaffMember):
    drag(as_sky, booked, monday(10), staff=tess.pk)

    assert places(booked) == (monday(10), monday(10, 30), tess.pk)


def test_a_move_that_emails_the_client_needs_confirmation_and_moves_nothing_yet(maple: Maple, as_sky: Browser):
    appointment = maple.book()
    events, emails = AppointmentEvent.objects.count(), Notification.objects.count()

    response = drag(as_sky, appointment, monday(11))

    assert response.json() == {
        "outcome": "confirm",
        "sentences": [
            "Move the appointment of Cleo Brandt?",
            "From Mon 30 Nov, 10:00–10:30 with Sam Okafor",
            "to Mon 30 Nov, 11:00–11:30 with Sam Okafor.",
            "We will email Cleo Brandt.",
        ],
    }
    assert places(appointment) == (monday(10), monday(10, 30), maple.sam.pk)
    assert (AppointmentEvent.objects.count(), Notification.objects.count()) == (events, emails)


def test_a_confirmed_drop_moves(maple: Maple, as_sky: Browser):
    appointment = maple.book()

    drag(as_sky, appointment, monday(11), confirmed="1")

    assert places(appointment)[0] == monday(11)


def test_a_drop_outside_working_hours_needs_confirmation(booked: Appointment, as_sky: Browser):
    sentences = drag(as_sky, booked, monday(19)).json()["sentences"]
    moved = drag(as_sky, booked, monday(19), confirmed="1").json()

    assert sentences[-1] == "This is outside the working hours of Sam Okafor."
    assert moved["outcome"] == "moved"


def test_a_taken_time_is_refused_before_confirmation_with_the_next_free_times(
    maple: Maple, booked: Appointment, as_sky: Browser
):
    maple.book(starts_at=monday(11))

    response = drag(as_sky, booked, monday(11))

    assert (response.status_code, response.json()["outcome"]) == (409, "refused")
    assert response.json()["sentence"] == "Sam Okafor is not free at Mon 30 Nov 2026, 11:00. Choose another time."
    assert [time["label"] for time in response.json()["next_free"]] == [
        "Mon 30 Nov, 11:30",
        "Mon 30 Nov, 11:45",
        "Mon 30 Nov, 12:00",
    ]


def test_the_second_drag_shows_who_moved_it_first(maple: Maple, booked: Appointment, as_sky: Browser):
    ada = make_member(maple.organization, "Ada Lovell", "admin")
    drag(signed_in(ada), booked, monday(14))

    response = drag(as_sky, booked, monday(12))

    assert response.status_code == 409
    assert response.json()["sentence"] == (
        "Ada Lovell changed this appointment meanwhile: Moved from Mon 30 Nov 2026, 10:00 UTC to "
        "Mon 30 Nov 2026, 14:00 UTC. Look at it again."
    )
    assert places(booked)[0] == monday(14)


def test_a_new_length_needs_a_service_that_allows_it(maple: Maple, booked: Appointment, as_sky: Browser):
    refused = drag(as_sky, booked, monday(10), ends_at="2026-11-30T11:00").json()
    maple.review.adjustable_length = True
    maple.review.save()
    moved = drag(as_sky, booked, monday(10), ends_at="2026-11-30T11:00").json()

    assert refused["sentence"] == ("The length of “Mortgage review” is fixed. An admin can change that under Services.")
    assert (moved["outcome"], moved["undo"]["ends_at"]) == ("moved", "2026-11-30T10:30:00+00:00")
    assert places(booked)[1] == monday(11)


@pytest.mark.parametrize("ends_at", ["2026-11-30T10:00", "2026-11-30T09:00", "2026-12-02T10:00"])
def test_an_invalid_end_is_refused(maple: Maple, booked: Appointment, as_sky: Browser, ends_at: str):
    maple.review.adjustable_length = True
    maple.review.save()

    response = drag(as_sky, booked, monday(10), ends_at=ends_at)

    assert response.json()["sentence"] == ("An appointment ends after it starts, and within a day. Choose another end.")


def test_a_staff_member_who_does_not_provide_the_service_is_refused(maple: Maple, booked: Appointment, as_sky: Browser):
    ben = make_member(maple.organization, "Ben Carter")

    response = drag(as_sky, booked, monday(10), staff=ben.pk)

    assert response.json()["sentence"].startswith("Ben Carter does not provide “Mortgage review”.")


def test_staff_can_drag_their_own_appointments_within_their_own_column(
    maple: Maple, booked: Appointment, tess: StaffMember
):
    responses = [
        drag(signed_in(maple.sam), booked, monday(11)).json()["outcome"],
        drag(signed_in(maple.sam), booked, monday(10), staff=tess.pk).json()["sentence"],
        drag(signed_in(tess), booked, monday(10)).status_code,
    ]

    assert responses == ["moved", "This person cannot take the appointment. Choose someone else.", 404]


def test_a_member_of_another_organisation_is_not_a_choice(booked: Appointment, as_sky: Browser):
    otto = make_member(make_organization("Cedar Bank"), "Otto Weber")

    response = drag(as_sky, booked, monday(10), staff=otto.pk)

    assert response.json()["sentence"] == "This person cannot take the appointment. Choose someone else."


@pytest.mark.parametrize(
    "sent",
    [
        {"starts_at": ""},
        {"starts_at": "tomorrow"},
        {"starts_at": "9999-12-31T23:00"},
        {"starts_at": "1900-01-01T10:00"},
        {"version": ""},
        {"version": "-1"},
        {"staff": "Sam"},
        {"ends_at": "later"},
    ],
)
def test_invalid_input_is_refused_with_a_sentence(booked: Appointment, as_sky: Browser, sent: dict[str, str]):
    response = drag(as_sky, booked, monday(11), **sent)

    assert (response.status_code, response.json()["outcome"]) == (409, "refused")
    assert response.json()["sentence"].endswith(".")
    assert places(booked)[0] == monday(10)


def test_local_times_are_in_the_users_zone(maple: Maple, booked: Appointment):
    maple.sky.time_zone = "America/Toronto"
    maple.sky.save()

    drag(signed_in(maple.sky), booked, monday(9))

    assert places(booked)[0] == monday(14)


def test_a_time_skipped_by_daylight_saving_is_refused(maple: Maple, booked: Appointment):
    maple.sky.time_zone = "America/Toronto"
    maple.sky.save()

    response = drag(signed_in(maple.sky), booked, datetime(2027, 3, 14, 2, 30, tzinfo=UTC), confirmed="1")

    assert response.status_code == 409


def test_a_time_that_comes_twice_is_refused_with_both(maple: Maple, booked: Appointment):
    maple.sky.time_zone = "America/Toronto"
    maple.sky.save()

    response = drag(signed_in(maple.sky), booked, datetime(2027, 11, 7, 1, 30, tzinfo=UTC), confirmed="1")

    assert response.status_code == 409
    assert response.json() == {
        "outcome": "refused",
        "sentence": "Clocks go back that day and show this time twice. Choose one of the two times.",
        "next_free": [
            {"starts_at": "2027-11-07T01:30:00-04:00", "label": "Sun 7 Nov, 01:30 EDT"},
            {"starts_at": "2027-11-07T01:30:00-05:00", "label": "Sun 7 Nov, 01:30 EST"},
        ],
    }


def test_a_resize_in_the_hour_that_comes_twice_keeps_the_new_length(maple: Maple, booked: Appointment):
    maple.sky.time_zone = "America/Toronto"
    maple.sky.save()
    start = datetime(2027, 11, 7, 1, 30, tzinfo=UTC)

    response = drag(signed_in(maple.sky), booked, start, ends_at="2027-11-07T02:30:00")

    assert [time["ends_at"] for time in response.json()["next_free"]] == [
        "2027-11-07T06:30:00+00:00",
        "2027-11-07T07:30:00+00:00",
    ]


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00", "2027-13-40T01:30:00"])
def test_an_impossible_time_is_refused(booked: Appointment, as_sky: Browser, text: str):
    drop = {"starts_at": text, "staff": booked.staff_id, "version": booked.version}

    assert as_sky.post(reverse("appointment-drag", args=[booked.pk]), drop).status_code == 409


def test_a_served_appointment_cannot_be_dragged(booked: Appointment, as_sky: Browser):
    Appointment.objects.update(status="served")

    response = drag(as_sky, booked, monday(11))

    assert response.json()["sentence"] == "An appointment that is “Served” cannot be moved."


@pytest.fixture
def video(maple_with_teams: Maple, tess: StaffMember) -> Appointment:
    make_match(Connection.objects.get(), tess, remote_id="tess")
    return maple_with_teams.book(method=MeetingMethod.VIDEO)


def test_another_time_keeps_the_meeting(video: Appointment, as_sky: Browser):
    meeting = video.meeting_id

    drag(as_sky, video, monday(11), confirmed="1")

    video.refresh_from_db()
    assert video.meeting_id == meeting
    assert Meeting.objects.get().starts_at == monday(11)


def test_the_confirmation_shows_the_effect_on_the_link(video: Appointment, as_sky: Browser, tess: StaffMember):
    sentences = drag(as_sky, video, monday(10), staff=tess.pk).json()["sentences"]

    assert sentences[-1] == "The video meeting and its link stay the same."


def test_the_confirmation_shows_a_personal_link_with_its_note(video: Appointment, as_sky: Browser, tess: StaffMember):
    tess.video_choice, tess.personal_meeting_url = VideoChoice.PERSONAL, "https://meet.example/tess"
    tess.personal_meeting_note = "Ring twice."
    tess.save()

    confirmation = drag(as_sky, video, monday(10), staff=tess.pk).json()

    assert confirmation["sentences"][-2:] == [
        "The call takes place on the personal link of Tess Moor, https://meet.example/tess.",
        "Ring twice.",
    ]


def test_a_staff_member_who_cannot_host_is_refused_before_confirmation(
    video: Appointment, as_sky: Browser, tess: StaffMember
):
    UserMatch.objects.filter(staff=tess).delete()

    response = drag(as_sky, video, monday(10), staff=tess.pk)

    assert response.status_code == 409


def test_the_calendar_data_marks_what_can_be_dragged_and_resized(maple: Maple, as_sky: Browser):
    maple.review.adjustable_length = True
    maple.review.save()
    maple.book()
    Appointment.objects.filter(pk=maple.book(starts_at=monday(12)).pk).update(status="served")

    day = as_sky.get(reverse("schedule-events"), {"date": "2026-11-30"}).json()

    events = [event for event in day["events"] if "title" in event]
    assert [(event["startEditable"], event["durationEditable"]) for event in events] == [
        (True, True),
        (False, False),
    ]
