"""Booking on the schedule."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment, BookedThrough, Client
from integrations.connections.disconnect import disconnect_connection
from integrations.models import Connection
from services.models import MeetingMethod, ServiceAssignment
from staff.hours import TimeRange, replace_week
from staff.models import Location, Role, StaffMember, VideoChoice, WorkingHours
from tests.appointments.conftest import Maple, monday
from tests.cast import signed_in
from tests.factories import make_client, make_hours, make_location, make_member, make_organization, make_service

pytestmark = pytest.mark.usefixtures("friday")
ADD = "/schedule/appointments/add/"


def booking_data(maple: Maple, **changes: Any) -> dict[str, Any]:
    """Return form data for Cleo at ten on Monday at the location, with `changes`."""
    sent = {
        "request_key": "an-unguessable-key",
        "client": maple.cleo.pk,
        "service": maple.review.pk,
        "method": MeetingMethod.AT_LOCATION.value,
        "staff": maple.sam.pk,
        "date": "2026-11-30",
        "time": "10:00",
        "notes": "Brings her passport",
    }
    return {name: value for name, value in (sent | changes).items() if value is not None}


def form_of(browser: Browser, **chosen: Any) -> Any:
    """Return the form with these choices in the query string."""
    return browser.get(ADD, chosen).context["form"]


def errors(page) -> dict[str, list[str]]:
    return dict(page.context["form"].errors)


def test_book_redirects_to_the_appointment(maple: Maple, as_sky: Browser):
    response = as_sky.post(ADD, booking_data(maple))

    booked = Appointment.objects.get()
    assert (response.status_code, response["Location"]) == (303, reverse("appointment", args=[booked.pk]))
    assert (booked.client, booked.staff, booked.starts_at) == (maple.cleo, maple.sam, monday(10))
    assert (booked.booked_by, booked.booked_through) == (maple.sky, BookedThrough.SCHEDULE)
    assert booked.internal_note == "Brings her passport"


def test_times_are_in_the_zone_of_the_user_who_books(maple: Maple, as_sky: Browser):
    maple.sky.time_zone = "America/Toronto"
    maple.sky.save()

    as_sky.post(ADD, booking_data(maple, time="10:00"))

    assert Appointment.objects.get().starts_at == monday(15)


@pytest.fixture
def toronto_at_night(maple: Maple) -> Maple:
    """Sam and Sky in Toronto; Sam works on Sundays from midnight to four."""
    toronto = ZoneInfo("America/Toronto")
    StaffMember.objects.update(time_zone=toronto)
    for member in (maple.sam, maple.sky):
        member.refresh_from_db()
    WorkingHours.objects.create(staff=maple.sam, weekday=6, start=time(0), end=time(4))
    maple.review.booking_horizon_days = 400
    maple.review.save()
    return maple


REPEATED = {"date": "2027-11-07", "time": "01:30"}


def test_a_typed_time_that_comes_twice_asks_which_one(toronto_at_night: Maple):
    page = signed_in(toronto_at_night.sky).post(ADD, booking_data(toronto_at_night, **REPEATED))

    assert errors(page) == {"fold": ["Clocks go back that day and show this time twice. Choose one of the two times."]}
    choices = page.context["form"].date_time["fold"].field.choices
    assert choices == [("0", "01:30 EDT"), ("1", "01:30 EST")]


@pytest.mark.parametrize(("fold", "hour"), [("0", 5), ("1", 6)])
def test_both_times_of_an_hour_that_comes_twice_can_be_booked(toronto_at_night: Maple, fold: str, hour: int):
    signed_in(toronto_at_night.sky).post(ADD, booking_data(toronto_at_night, fold=fold, **REPEATED))

    assert Appointment.objects.get().starts_at == datetime(2027, 11, 7, hour, 30, tzinfo=UTC)


def test_after_the_first_of_the_two_is_taken_the_second_is_offered_and_booked(toronto_at_night: Maple):
    as_sky = signed_in(toronto_at_night.sky)
    toronto_at_night.book(starts_at=datetime(2027, 11, 7, 5, 30, tzinfo=UTC))
    page = as_sky.post(ADD, booking_data(toronto_at_night, fold="0", **REPEATED)).content.decode()
    [offered] = re.findall(r'name="pick" value="([^"]+)"[^>]*>Sun 7 Nov, 01:30 EST<', page)

    picked = as_sky.post(ADD, booking_data(toronto_at_night, pick=offered)).context["form"].date_time
    chosen = {name: picked.picked(name) for name in ("date", "time", "fold")}
    as_sky.post(ADD, booking_data(toronto_at_night, **chosen))

    assert chosen == {"date": "2027-11-07", "time": "01:30", "fold": "1"}
    assert Appointment.objects.filter(starts_at=datetime(2027, 11, 7, 6, 30, tzinfo=UTC)).exists()


def test_a_fold_that_does_not_exist_is_refused(toronto_at_night: Maple):
    page = signed_in(toronto_at_night.sky).post(ADD, booking_data(toronto_at_night, fold="2", **REPEATED))

    assert errors(page) == {"fold": ["Choose one of the two times."]}


def test_the_same_form_sent_twice_is_one_booking(maple: Maple, as_sky: Browser):
    responses = [as_sky.post(ADD, booking_data(maple)) for _ in range(2)]

    booked = Appointment.objects.get()
    assert {response["Location"] for response in responses} == {reverse("appointment", args=[booked.pk])}


def test_a_new_client_is_added_once_with_the_booking(maple: Maple, as_sky: Browser):
    sent = booking_data(maple, client="new", new_name="Abe Lind", new_email="abe@example.com", new_phone="+1 555 0123")

    for _ in range(2):
        as_sky.post(ADD, sent | {"new_anyway": "on"})

    added = Client.objects.exclude(pk=maple.cleo.pk).get()
    assert (added.name, added.email, added.phone) == ("Abe Lind", "abe@example.com", "+1 555 0123")
    assert Appointment.objects.get().client == added


def test_a_refused_booking_adds_no_client(maple: Maple, as_sky: Browser):
    maple.book()

    page = as_sky.post(ADD, booking_data(maple, client="new", new_name="Abe Lind"))

    assert Client.objects.get() == maple.cleo
    assert 'value="Abe Lind"' in page.content.decode()


def test_a_new_client_needs_a_name(maple: Maple, as_sky: Browser):
    page = as_sky.post(ADD, booking_data(maple, client="new"))

    assert errors(page) == {"new_name": ["Enter the client's name."]}


def test_an_existing_client_with_the_email_is_pointed_out_once(maple: Maple, as_sky: Browser):
    sent = booking_data(maple, client="new", new_name="Carl Brandt", new_email="CLEO@example.com")

    page = as_sky.post(ADD, sent)
    response = as_sky.post(ADD, sent | {"new_anyway": "on"})

    assert errors(page) == {
        "new_email": ["Cleo Brandt has this email already. Choose them above, or add another client."]
    }
    assert page.context["form"].client_group.clients == [maple.cleo]
    assert response.status_code == 303


def test_a_taken_time_shows_the_next_free_times_and_keeps_the_input(maple: Maple, as_sky: Browser):
    maple.book()

    page = as_sky.post(ADD, booking_data(maple))

    assert errors(page) == {"time": ["Sam Okafor is not free at Mon 30 Nov 2026, 10:00. Choose another time."]}
    content = page.content.decode()
    assert 'name="pick" value="2026-11-30T10:30"' in content
    assert "Brings her passport" in content
    assert f'value="{maple.cleo.pk}" checked' in content
    assert f'<option value="{maple.review.pk}" selected>' in content
    assert f'<option value="{maple.sam.pk}" selected>' in content
    assert 'value="10:00"' in content


def test_booking_outside_working_hours_is_offered_after_a_refusal(maple: Maple, as_sky: Browser):
    before = as_sky.get(ADD)
    refused = as_sky.post(ADD, booking_data(maple, time="20:00"))
    booked = as_sky.post(ADD, booking_data(maple, time="20:00", outside_hours="on"))

    words = "Book outside working hours"
    assert [words in page.content.decode() for page in (before, refused)] == [False, True]
    assert booked.status_code == 303


def test_all_missing_fields_are_reported_at_once(maple: Maple, as_sky: Browser):
    page = as_sky.post(ADD, {"request_key": "key"})

    assert errors(page) == {
        "client": ["Search for the client and choose them, or add a new client."],
        "service": ["Choose a service."],
        "method": ["Choose a meeting method."],
        "staff": ["Choose a staff member."],
        "date": ["Choose a date."],
        "time": ["Choose one of the free times, or enter a time."],
    }


def test_a_client_without_the_needed_contact_details_is_an_error_of_the_client_field(maple: Maple, as_sky: Browser):
    silent = make_client(maple.organization, "Silent", phone="")

    page = as_sky.post(ADD, booking_data(maple, client=silent.pk, method=MeetingMethod.PHONE.value))

    assert errors(page) == {
        "client": ["Silent has no phone number to call. Add one, or choose another meeting method."]
    }


def test_ids_of_another_organisation_are_not_choices(maple: Maple, as_sky: Browser):
    cedar = make_organization("Cedar Bank")
    olga = make_member(cedar, "Olga Weber")
    loan = make_service(cedar, "Loan", provided_by=(olga,))
    foreign = make_client(cedar)

    page = as_sky.post(ADD, booking_data(maple, client=foreign.pk, service=loan.pk, staff=olga.pk))

    assert sorted(errors(page)) == ["client", "method", "service", "staff"]
    assert not Appointment.objects.exists()


def test_only_the_methods_of_the_service_are_offered(maple: Maple, as_sky: Browser):
    loan = make_service(maple.organization, "Loan", (MeetingMethod.PHONE, MeetingMethod.OFF_SITE), (maple.sam,))

    form = as_sky.get(ADD, {"service": loan.pk}).context["form"]

    assert form.methods == [MeetingMethod.PHONE, MeetingMethod.OFF_SITE]


def test_video_offers_only_staff_who_can_host_and_lists_the_reasons_for_others(maple_with_teams: Maple):
    maple = maple_with_teams
    tess = make_member(maple.organization, "Tess Moor")
    review = make_service(maple.organization, "Video review", provided_by=(maple.sam, tess))

    page = signed_in(maple.sky).get(ADD, {"service": str(review.pk), "method": "3"})

    form = page.context["form"]
    assert [name for pk, name in form.fields["staff"].choices if pk] == ["Sam Okafor"]
    assert "<strong>Tess Moor</strong>: Video Calls is off." in page.content.decode()
    assert "Ask an admin to turn it on." in page.content.decode()


def test_an_admin_gets_a_link_to_the_row_of_a_staff_member_who_is_not_offered(maple_with_teams: Maple):
    maple = maple_with_teams
    tess = make_member(maple.organization, "Tess Moor")
    review = make_service(maple.organization, "Video review", provided_by=(maple.sam, tess))
    ada = make_member(maple.organization, "Ada Lovell", Role.ADMIN)

    page = signed_in(ada).get(ADD, {"service": str(review.pk), "method": "3"})

    address = f"/settings/video-calls/{Connection.objects.get().pk}/?search=tess%40maple.example#user-{tess.pk}"
    assert f'<a href="{address}" target="_blank">Turn it on</a>' in page.content.decode()


@pytest.fixture
def tess(maple: Maple) -> StaffMember:
    """Tess, who takes video calls on a personal link with a note."""
    link = {"personal_meeting_url": "https://meet.example/tess", "personal_meeting_note": "Ring twice"}
    tess = make_member(maple.organization, "Tess Moor", video_choice=VideoChoice.PERSONAL, **link)
    ServiceAssignment.objects.create(service=maple.review, staff=tess)
    make_hours(tess)
    return tess


def test_a_personal_link_is_shown_with_its_note_before_the_booking_and_then_used(
    maple: Maple, as_sky: Browser, tess: StaffMember
):
    payload = booking_data(maple, staff=tess.pk, method=MeetingMethod.VIDEO.value)

    page = as_sky.get(ADD, payload)
    response = as_sky.post(ADD, payload | {"named_links": page.context["form"].links_to_name})

    assert "<strong>Tess Moor’s personal link</strong>" in page.content.decode()
    assert "Ring twice" in page.content.decode()
    assert response.status_code == 303
    assert Appointment.objects.get().personal_meeting_url == "https://meet.example/tess"


def test_a_personal_link_that_the_page_did_not_show_must_be_confirmed(maple: Maple, as_sky: Browser, tess: StaffMember):
    page = as_sky.post(ADD, booking_data(maple, staff=tess.pk, method=MeetingMethod.VIDEO.value))

    assert errors(page) == {
        "staff": ["Tess Moor takes video calls on a personal link. Press Book again if that is right."]
    }
    assert f'name="named_links" value="{tess.pk}"' in page.content.decode()
    assert not Appointment.objects.exists()


def test_a_video_call_with_a_staff_member_who_cannot_host_is_refused(maple: Maple, as_sky: Browser):
    page = as_sky.post(ADD, booking_data(maple, method=MeetingMethod.VIDEO.value))

    assert errors(page)["staff"][0].startswith("Sam Okafor has no video platform. An admin can connect one")
    assert "Brings her passport" in page.content.decode()


def test_a_click_on_a_slot_preselects_the_person_and_the_time(maple: Maple, as_sky: Browser):
    content = as_sky.get(ADD, {"staff": str(maple.sam.pk), "date": "2026-11-30", "time": "11:15"}).content.decode()

    assert f'<option value="{maple.sam.pk}" selected>' in content
    assert 'value="2026-11-30"' in content
    assert 'value="11:15"' in content


def test_the_free_times_of_the_chosen_person_are_buttons(maple: Maple, as_sky: Browser):
    maple.book()

    form = form_of(as_sky, service=maple.review.pk, staff=maple.sam.pk, date="2026-11-30", method=1)

    assert form.times.on_the_day[:5] == [
        monday(9),
        monday(9, 15),
        monday(9, 30),
        monday(10, 30),
        monday(10, 45),
    ]


def test_a_free_time_fills_the_form_without_scripts_and_books_nothing(maple: Maple, as_sky: Browser):
    page = as_sky.post(ADD, booking_data(maple, pick="2026-12-01T14:30"))

    form = page.context["form"]
    assert (form.date_time["date"].value(), form.date_time["time"].value()) == ("2026-12-01", "14:30")
    assert "Brings her passport" in page.content.decode()
    assert errors(page) == {}
    assert not Appointment.objects.exists()


def test_the_search_finds_clients_and_keeps_the_chosen_one(maple: Maple, as_sky: Browser):
    abe = make_client(maple.organization, "Abe Lind", email="abe@example.com")

    page = as_sky.post(ADD, booking_data(maple, client_query="abe", preview="client"))

    assert page.context["form"].client_group.clients == [maple.cleo, abe]
    assert not Appointment.objects.exists()


def test_staff_cannot_book_for_others(maple: Maple):
    response = signed_in(maple.sam).post(ADD, booking_data(maple))

    assert response.status_code == 403
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_form_takes_the_same_queries_for_any_number_of_people(
    maple_with_teams: Maple, how_many: int, django_assert_num_queries
):
    maple = maple_with_teams
    others = [make_member(maple.organization, f"Tess{number} Moor") for number in range(how_many - 1)]
    for member in others:
        make_hours(member)
    review = make_service(maple.organization, "Video review", provided_by=(maple.sam, *others))
    chosen: dict[str, Any] = {"service": review.pk, "method": 3, "staff": maple.sam.pk, "date": "2026-11-30"}
    browser = signed_in(maple.sky)

    with django_assert_num_queries(FORM_QUERIES):
        browser.get(ADD, chosen)


FORM_QUERIES = 12


def test_after_disconnect_no_staff_are_offered_for_video_and_the_page_shows_why(
    maple_with_teams: Maple, as_sky: Browser
):
    disconnect_connection(Connection.objects.get(), None)

    people = form_of(as_sky, service=maple_with_teams.review.pk, method=MeetingMethod.VIDEO.value).people

    assert (people.able.pks, [member for member, _reason in people.unable]) == ([], [maple_with_teams.sam])
    assert people.unable[0][1].reason == "No video platform."


def test_staff_whose_platform_was_disconnected_cannot_be_booked_for_video(maple_with_teams: Maple, as_sky: Browser):
    sam, connection = maple_with_teams.sam, Connection.objects.get()
    sam.video_choice, sam.video_connection = VideoChoice.CONNECTION, connection
    sam.save()
    disconnect_connection(connection, None)

    page = as_sky.post(ADD, booking_data(maple_with_teams, method=MeetingMethod.VIDEO.value))

    assert "Microsoft Teams, where Sam Okafor hosts video appointments, is disconnected." in (page.content.decode())
    assert Appointment.objects.count() == 0


# --- Locations --------------------------------------------------------------------------------------
@pytest.fixture
def west_end(maple: Maple) -> Location:
    """A branch where Sam works on Monday afternoons. In the mornings he is at his home branch."""
    maple.sam.location = make_location(maple.organization)
    maple.sam.save()
    west_end = make_location(maple.organization, "West End")
    afternoon = TimeRange(0, time(13), time(17), west_end.pk)
    replace_week(maple.sam, [TimeRange(0, time(9), time(12)), afternoon])
    return west_end


def choices_of(maple: Maple, **changes: Any) -> dict[str, Any]:
    return booking_data(maple, request_key=None, time=None, **changes)


def test_each_location_of_the_person_has_its_own_times(maple: Maple, as_sky: Browser, west_end: Location):
    at_home = form_of(as_sky, **choices_of(maple))
    away = form_of(as_sky, **choices_of(maple, location=west_end.pk))

    assert [label for _value, label in at_home["location"].field.choices] == ["Main Street", "West End"]
    assert (at_home.times.on_the_day[0], at_home.times.on_the_day[-1]) == (monday(9), monday(11, 30))
    assert (away.times.on_the_day[0], away.times.on_the_day[-1]) == (monday(13), monday(16, 30))


def test_the_appointment_takes_place_at_the_chosen_location(maple: Maple, as_sky: Browser, west_end: Location):
    refused = as_sky.post(ADD, booking_data(maple, time="10:00", location=west_end.pk))
    as_sky.post(ADD, booking_data(maple, time="14:00", location=west_end.pk))

    assert "time" in errors(refused)
    assert (Appointment.objects.get().location, Appointment.objects.get().starts_at) == (west_end, monday(14))


def test_a_location_where_the_person_does_not_work_is_refused(maple: Maple, as_sky: Browser, west_end: Location):
    other = make_location(maple.organization, "Old Town")

    page = as_sky.post(ADD, booking_data(maple, location=other.pk))

    assert list(errors(page)) == ["location"]
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("method", [MeetingMethod.PHONE, MeetingMethod.OFF_SITE])
def test_calls_have_no_choice_of_location(maple: Maple, as_sky: Browser, west_end: Location, method: MeetingMethod):
    page = as_sky.get(ADD, choices_of(maple, method=method.value))

    assert 'name="location"' not in page.text
