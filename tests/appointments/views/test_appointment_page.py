"""Page of an appointment: details, link, move and cancel."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment, Status
from integrations.models import (
    Connection,
    ConnectionStatus,
    DesiredState,
    DirectoryState,
    Meeting,
    UserMatch,
)
from services.models import MeetingMethod
from staff.models import EmailState, OutboxEmail, StaffMember
from tests.appointments.conftest import NOW, Maple, monday
from tests.cast import signed_in
from tests.factories import make_appointment, make_hours, make_member, make_organization
from tests.integrations.pages import messages_of
from tests.messages import message

pytestmark = pytest.mark.usefixtures("friday")
TEAMS_URL = "https://teams.example/l/meetup-join/1"


@pytest.fixture
def video(maple_with_teams: Maple) -> Appointment:
    return maple_with_teams.book(method=MeetingMethod.VIDEO)


def address(name: str, appointment: Appointment) -> str:
    return reverse(name, args=[appointment.pk])


def make_ready(appointment: Appointment) -> None:
    Meeting.objects.filter(appointment=appointment).update(
        join_url=TEAMS_URL, remote_id="m", synced_version=1, due_at=None
    )


def make_failed(appointment: Appointment, sentence: str) -> None:
    Meeting.objects.filter(appointment=appointment).update(error_kind="person", error=message(sentence), due_at=None)


def test_the_page_shows_client_service_time_and_method(maple: Maple, as_sky: Browser):
    appointment = maple.book(method=MeetingMethod.PHONE, internal_note="VIP")

    content = as_sky.get(address("appointment", appointment)).content.decode()

    for words in ("Cleo Brandt", "Mortgage review", "Monday 30 November 2026", "10:00–10:30", "UTC", "VIP"):
        assert words in content
    for words in ("Phone Call", "Sam Okafor", "Confirmed", "Booked for Mon 30 Nov 2026, 10:00 UTC."):
        assert words in content


def test_staff_open_their_own_appointments_only(maple: Maple):
    tess = make_member(maple.organization, "Tess Moor")
    appointment = maple.book()

    seen = [signed_in(member).get(address("appointment", appointment)).status_code for member in (maple.sam, tess)]

    assert seen == [200, 404]


@pytest.mark.parametrize(
    "name",
    ["appointment", "appointment-link", "appointment-move", "appointment-cancel", "appointment-try-again"],
)
def test_another_organisations_appointment_is_not_found(maple: Maple, name: str):
    appointment = maple.book()
    otto = signed_in(make_member(make_organization("Cedar Bank"), "Otto Weber", "admin"))

    responses = [otto.get(address(name, appointment)), otto.post(address(name, appointment))]

    assert {response.status_code for response in responses} <= {404, 405}
    appointment.refresh_from_db()
    assert appointment.status == Status.CONFIRMED


def test_the_page_polls_a_pending_link_every_two_seconds(video: Appointment, as_sky: Browser):
    content = as_sky.get(address("appointment", video)).content.decode()

    assert "Creating the Microsoft Teams link…" in content
    assert 'hx-trigger="every 2s"' in content
    assert "Join Microsoft Teams meeting" not in content


def test_the_poll_is_empty_while_nothing_changed(video: Appointment, as_sky: Browser):
    page = as_sky.get(address("appointment", video))

    seen = page.context["link"].fingerprint
    response = as_sky.get(address("appointment-link", video), {"seen": seen})

    assert (response.status_code, response.content) == (204, b"")


def test_a_ready_link_is_a_button_to_our_own_join_link(video: Appointment, as_sky: Browser):
    seen = as_sky.get(address("appointment", video)).context["link"].fingerprint
    make_ready(video)

    fragment = as_sky.get(address("appointment-link", video), {"seen": seen}).content.decode()

    assert "Join Microsoft Teams meeting" in fragment
    assert f'href="{settings.BASE_URL}{reverse("join", args=[video.staff_join_token])}"' in fragment
    assert f'id="join-link" value="{settings.BASE_URL}{reverse("join", args=[video.join_token])}"' in fragment
    assert f'href="{TEAMS_URL}"' in fragment
    assert "hx-get" not in fragment


def test_a_failed_link_shows_the_reason_and_can_be_tried_again(video: Appointment, as_sky: Browser):
    make_failed(video, "Grant Sam a licence.")

    fragment = as_sky.get(address("appointment-link", video)).content.decode()
    response = as_sky.post(address("appointment-try-again", video))

    assert "Grant Sam a licence." in fragment
    assert "Try again" in fragment
    assert "It works already" not in fragment
    assert "hx-get" not in fragment
    assert response.status_code == 303
    meeting = Meeting.objects.get(appointment=video)
    assert (meeting.state, str(meeting.error)) == ("pending", "")


def test_an_appointment_without_a_meeting_has_a_button_to_create_the_link(maple_with_teams: Maple, as_sky: Browser):
    maple = maple_with_teams
    booked = make_appointment(maple.review, maple.sam, maple.cleo, monday(10), method=MeetingMethod.VIDEO)

    fragment = as_sky.get(address("appointment-link", booked)).content.decode()
    response = as_sky.post(address("appointment-try-again", booked))

    assert "This appointment was booked without one." in fragment
    assert "Create the link</button>" in fragment
    assert messages_of(response) == ["The link is being created again."]
    assert Meeting.objects.get().appointment == booked


def test_trying_again_shows_why_the_staff_member_can_no_longer_host(video: Appointment, as_sky: Browser):
    make_failed(video, "Grant Sam a licence.")
    UserMatch.objects.update(directory=DirectoryState.UNMATCHED)

    response = as_sky.post(address("appointment-try-again", video))

    assert messages_of(response) == [
        "The link is being created again.",
        (
            "Sam Okafor is not matched with a user of Microsoft Teams. An admin can see why, and what to do, "
            "under Settings > Video Calls."
        ),
    ]
    assert Meeting.objects.get().state == "pending"


def test_trying_again_creates_the_link_on_the_current_platform(video: Appointment, as_sky: Browser):
    make_failed(video, "Grant Sam a licence.")
    StaffMember.objects.filter(pk=video.staff_id).update(
        video_choice="personal", personal_meeting_url="https://meet.example/sam"
    )

    as_sky.post(address("appointment-try-again", video))

    video.refresh_from_db()
    assert (video.meeting, video.personal_meeting_url) == (None, "https://meet.example/sam")


def test_a_link_that_waits_for_a_reauthorization_shows_it(video: Appointment, as_sky: Browser):
    Connection.objects.update(status=ConnectionStatus.NEEDS_REAUTHORIZATION)

    fragment = as_sky.get(address("appointment-link", video)).content.decode()

    assert "Waiting for Microsoft Teams to be reauthorized" in fragment
    assert 'hx-trigger="every 10s"' in fragment


def test_a_link_that_is_not_a_web_address_is_never_a_button(video: Appointment, as_sky: Browser):
    make_ready(video)
    Meeting.objects.update(join_url="javascript:alert(1)")

    fragment = as_sky.get(address("appointment-link", video)).content.decode()

    assert "javascript:" not in fragment
    assert "Join Microsoft Teams meeting" not in fragment


def test_move_keeps_the_link(video: Appointment, as_sky: Browser):
    join_token, meeting = video.join_token, video.meeting_id

    shown = as_sky.get(address("appointment-move", video)).content.decode()
    response = as_sky.post(address("appointment-move", video), {"date": "2026-11-30", "time": "14:00"})

    video.refresh_from_db()
    assert "The video link stays the same." in shown
    assert (response.status_code, response["Location"]) == (303, address("appointment", video))
    assert (video.starts_at, video.join_token, video.meeting_id) == (monday(14), join_token, meeting)


def test_a_refused_move_shows_the_reason_and_the_next_free_times_and_keeps_the_input(maple: Maple, as_sky: Browser):
    appointment = maple.book()
    maple.book(starts_at=monday(14))

    page = as_sky.post(address("appointment-move", appointment), {"date": "2026-11-30", "time": "14:00"})

    form = page.context["form"]
    assert form.errors == {"time": ["Sam Okafor is not free at Mon 30 Nov 2026, 14:00. Choose another time."]}
    assert form.date_time.next_free == [monday(14, 30), monday(14, 45), monday(15)]
    assert 'value="14:00"' in page.content.decode()


def test_a_free_time_fills_the_form_without_moving(maple: Maple, as_sky: Browser):
    appointment = maple.book()

    page = as_sky.post(address("appointment-move", appointment), {"pick": "2026-12-01T09:00"})

    appointment.refresh_from_db()
    assert page.context["form"].date_time["date"].value() == "2026-12-01"
    assert appointment.starts_at == monday(10)


def test_staff_can_move_and_cancel_their_own_appointments(maple: Maple):
    appointment = maple.book()
    as_sam = signed_in(maple.sam)

    as_sam.post(address("appointment-move", appointment), {"date": "2026-11-30", "time": "11:00"})
    as_sam.post(address("appointment-cancel", appointment))

    appointment.refresh_from_db()
    assert (appointment.starts_at, appointment.status) == (monday(11), Status.CANCELLED)


def test_cancel_asks_for_confirmation(video: Appointment, as_sky: Browser):
    confirmation = as_sky.get(address("appointment-cancel", video))
    video.refresh_from_db()
    before = video.status
    as_sky.post(address("appointment-cancel", video))

    video.refresh_from_db()
    assert "Cancel the appointment of Cleo Brandt?" in confirmation.content.decode()
    assert (before, video.status) == (Status.CONFIRMED, Status.CANCELLED)
    assert Meeting.objects.get(appointment=video).desired_state == DesiredState.ABSENT


def test_cancelling_twice_shows_that_it_is_cancelled(maple: Maple, as_sky: Browser):
    appointment = maple.book()

    as_sky.post(address("appointment-cancel", appointment))
    page = as_sky.post(address("appointment-cancel", appointment), follow=True)

    assert "This appointment was cancelled already." in page.content.decode()


def test_an_interrupted_email_is_shown_as_uncertain(maple: Maple, as_sky: Browser):
    appointment = maple.book()
    OutboxEmail.objects.update(state=EmailState.SENDING, lease_until=NOW - timedelta(hours=1))

    assert "may not have been sent" in as_sky.get(address("appointment", appointment)).content.decode()


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_page_takes_the_same_queries_for_any_number_of_events(
    maple: Maple, as_sky: Browser, how_many: int, django_assert_num_queries
):
    make_hours(make_member(maple.organization, "Tess Moor"))
    appointment = maple.book()
    for number in range(how_many - 1):
        as_sky.post(address("appointment-move", appointment), {"date": "2026-11-30", "time": f"1{number}:15"})
    as_sky.get(address("appointment", appointment))

    with django_assert_num_queries(
        8
    ):  # session, member, row of the session, appointment, events, emails, bounce, answers
        as_sky.get(address("appointment", appointment))


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31"])
def test_a_day_outside_the_calendar_is_refused(maple: Maple, as_sky: Browser, date: str):
    page = as_sky.post(address("appointment-move", maple.book()), {"date": date, "time": "23:59"})

    assert page.context["form"].errors == {"date": ["Enter a date such as 2026-12-31."]}


def test_the_timeline_shows_changes_by_the_client(maple: Maple, as_sky: Browser):
    page = as_sky.get(address("appointment", maple.book_online()))

    assert 'Booked for Mon 30 Nov 2026, 10:00 UTC. <span class="muted">Client View</span>' in page.content.decode()
