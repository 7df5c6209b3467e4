"""Contact Center: from the client to the first free time of any staff."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment, BookedThrough, Client
from services.models import MeetingMethod
from staff.models import StaffMember, TimeOff, Weekday
from tests.appointments.booking_payloads import PAGE, booking_data, errors
from tests.appointments.conftest import Maple, monday
from tests.cast import signed_in
from tests.factories import (
    make_client,
    make_hours,
    make_location,
    make_member,
    make_organization,
    make_service,
)

VIDEO = MeetingMethod.VIDEO.value
pytestmark = pytest.mark.usefixtures("friday")


def test_a_booking_with_any_staff_redirects_to_the_confirmation(maple: Maple, as_sky: Browser) -> None:
    response = as_sky.post(PAGE, booking_data(maple))

    booked = Appointment.objects.get()
    assert (response.status_code, response["Location"]) == (
        303,
        reverse("contact-center-booked", args=[booked.pk]),
    )
    assert (booked.client, booked.staff, booked.starts_at) == (maple.cleo, maple.sam, monday(10))
    assert (booked.booked_by, booked.booked_through) == (maple.sky, BookedThrough.CONTACT_CENTER)
    assert booked.internal_note == "Brings her passport"


def test_a_booking_with_a_chosen_person(maple: Maple, as_sky: Browser, tess: StaffMember) -> None:
    as_sky.post(PAGE, booking_data(maple, staff=tess.pk))

    assert Appointment.objects.get().staff == tess


def shown(browser: Browser, **chosen: Any) -> Any:
    """Return the free times for these choices."""
    return browser.get(PAGE, chosen).context["form"].times


def test_the_first_free_day_is_shown_in_full_with_later_days(maple: Maple, as_sky: Browser) -> None:
    times = shown(as_sky, **booking_data(maple))

    friday_afternoon, *later = times.days
    assert [day.date.isoformat() for day in times.days] == [
        "2026-11-27",
        "2026-11-30",
        "2026-12-01",
        "2026-12-02",
    ]
    assert (len(friday_afternoon.times), friday_afternoon.left_off) == (19, 0)
    assert [(len(day.times), day.left_off) for day in later] == [(8, 23)] * 3
    assert times.later == date(2026, 12, 3)


def test_a_time_shows_the_free_staff_member_with_the_fewest_hours_that_day(
    maple: Maple, as_sky: Browser, tess: StaffMember
) -> None:
    longer = make_service(maple.organization, "Long talk", provided_by=(maple.sam,), duration=90)
    maple.book(service=longer, starts_at=monday(15))
    for hour in (15, 16):
        maple.book(staff=tess, starts_at=monday(hour))

    times = shown(as_sky, **booking_data(maple, date="2026-11-30"))

    assert {free.member for free in times.days[0].times[:16]} == {tess}
    assert {free.member for free in times.days[1].times} == {maple.sam}


@pytest.mark.parametrize("button", [{"from": "2026-12-03"}, {"date": "2026-12-03", "preview": "times"}])
def test_more_times_and_another_day_keep_the_choices(maple: Maple, as_sky: Browser, button: dict[str, str]) -> None:
    page = as_sky.post(PAGE, booking_data(maple, slot=None, **button))

    form = page.context["form"]
    assert form.times.days[0].date == date(2026, 12, 3)
    assert form.client_group.chosen_client == maple.cleo
    assert "Brings her passport" in page.content.decode()
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("day", ["12026-03-01", "soon", "1999-12-31"])
def test_an_invalid_day_shows_an_error_and_the_first_times(maple: Maple, as_sky: Browser, day: str) -> None:
    page = as_sky.post(PAGE, booking_data(maple, slot=None, date=day, preview="choices"))

    assert "Enter a date such as 2026-12-31." in page.content.decode()
    assert page.context["form"].times.days[0].date == date(2026, 11, 27)


def test_later_weeks_are_searched_if_few_days_are_free(maple: Maple, as_sky: Browser) -> None:
    maple.sam.working_hours.exclude(weekday=Weekday.MONDAY).delete()
    TimeOff.objects.create(staff=maple.sam, starts_at=monday(0), ends_at=monday(0) + timedelta(days=60))

    times = shown(as_sky, **booking_data(maple))

    assert [day.date.isoformat() for day in times.days] == [
        "2027-02-01",
        "2027-02-08",
        "2027-02-15",
        "2027-02-22",
    ]
    assert times.later is None


def test_enter_updates_the_choices_and_books_once_a_time_is_chosen(maple: Maple, as_sky: Browser) -> None:
    page = as_sky.post(PAGE, booking_data(maple, go="on", slot=None))
    response = as_sky.post(PAGE, booking_data(maple, go="on"))

    assert (page.status_code, errors(page)) == (200, {})
    assert response.status_code == 303


def test_the_same_form_sent_twice_is_one_booking(maple: Maple, as_sky: Browser, tess: StaffMember) -> None:
    responses = [as_sky.post(PAGE, booking_data(maple)) for _ in range(2)]

    booked = Appointment.objects.get()
    assert {response["Location"] for response in responses} == {reverse("contact-center-booked", args=[booked.pk])}


def test_a_taken_time_shows_the_free_times_of_that_day_and_keeps_the_input(maple: Maple, as_sky: Browser) -> None:
    maple.book()

    page = as_sky.post(PAGE, booking_data(maple, staff=maple.sam.pk))

    form, content = page.context["form"], page.content.decode()
    assert errors(page) == {"slot": ["Sam Okafor is not free at Mon 30 Nov 2026, 10:00. Choose another time."]}
    assert [free.starts_at for free in form.times.days[0].times][:4] == [
        monday(9),
        monday(9, 15),
        monday(9, 30),
        monday(10, 30),
    ]
    assert "Brings her passport" in content
    assert f'value="{maple.cleo.pk}" checked' in content
    assert f'<option value="{maple.review.pk}" selected>' in content
    assert f'<option value="{maple.sam.pk}" selected>' in content


def test_the_staff_member_that_the_time_was_shown_with_is_booked(
    maple: Maple, as_sky: Browser, tess: StaffMember
) -> None:
    for number, member in enumerate([tess, maple.sam]):
        slot = f"{int(monday(10).timestamp())}-{member.pk}"
        client = make_client(maple.organization, f"Client {number}").pk
        as_sky.post(PAGE, booking_data(maple, slot=slot, client=client, request_key=f"key-{number}"))

    assert [booked.staff for booked in Appointment.objects.order_by("pk")] == [tess, maple.sam]


def test_another_free_person_is_booked_if_the_shown_one_is_taken(
    maple: Maple, as_sky: Browser, tess: StaffMember
) -> None:
    maple.book(client=make_client(maple.organization, "Abe Lind"))

    as_sky.post(PAGE, booking_data(maple))

    assert Appointment.objects.latest("pk").staff == tess


def test_the_form_is_shown_again_if_no_one_is_free(maple: Maple, as_sky: Browser) -> None:
    maple.book()

    page = as_sky.post(PAGE, booking_data(maple))

    assert (page.status_code, list(errors(page))) == (200, ["slot"])
    assert Appointment.objects.count() == 1


def test_a_new_client_is_added_with_the_booking_or_not_at_all(maple: Maple, as_sky: Browser) -> None:
    sent = booking_data(maple, client="new", new_name="Abe Lind", new_email="abe@example.com")

    refused = as_sky.post(PAGE, sent | {"method": MeetingMethod.PHONE.value})
    added_by_refusal = Client.objects.filter(name="Abe Lind").exists()
    as_sky.post(PAGE, sent)

    assert errors(refused) == {
        "new_name": ["Abe Lind has no phone number to call. Add one, or choose another meeting method."]
    }
    assert not added_by_refusal
    assert Appointment.objects.get().client.name == "Abe Lind"


def test_a_repeated_submit_with_a_new_client_and_any_staff_is_one_client_and_one_booking(
    maple: Maple, as_sky: Browser, tess: StaffMember
) -> None:
    for _ in range(2):
        as_sky.post(PAGE, booking_data(maple, client="new", new_name="Abe Lind"))

    assert Client.objects.filter(name="Abe Lind").count() == 1
    assert Appointment.objects.count() == 1


def test_the_schedules_form_keeps_the_input(maple: Maple, as_sky: Browser) -> None:
    entered = booking_data(maple, client="new", new_name="Abe Lind", preview="choices")

    page = as_sky.post(reverse("appointment-add"), entered)

    content = page.content.decode()
    assert page.context["form"].chosen_service == maple.review
    assert [words in content for words in ('value="Abe Lind"', "Brings her passport")] == [True, True]


def test_an_existing_client_with_the_email_is_pointed_out_while_typing(maple: Maple, as_sky: Browser) -> None:
    page = as_sky.post(PAGE, booking_data(maple, client="new", new_email="CLEO@example.com", preview="choices"))

    assert page.context["form"].client_group.clients == [maple.cleo]
    assert "Cleo Brandt has this email already. Is it them?" in page.content.decode()


def test_all_missing_fields_are_reported_at_once(maple: Maple, as_sky: Browser) -> None:
    page = as_sky.post(PAGE, {"request_key": "key"})

    assert errors(page) == {
        "client": ["Search for the client and choose them, or add a new client."],
        "service": ["Choose a service."],
        "method": ["Choose a meeting method."],
        "slot": ["Choose one of the free times."],
    }


@pytest.mark.parametrize("slot", ["soon", "-1", "9" * 30, "1e9", "5-", "5-x", "5-5-5"])
def test_an_invalid_time_is_refused(maple: Maple, as_sky: Browser, slot: str) -> None:
    page = as_sky.post(PAGE, booking_data(maple, slot=slot))

    assert errors(page) == {"slot": ["Choose one of the free times."]}


def test_ids_of_another_organisation_are_not_choices(maple: Maple, as_sky: Browser) -> None:
    cedar = make_organization("Cedar Bank")
    olga = make_member(cedar, "Olga Weber")
    foreign = {
        "client": make_client(cedar).pk,
        "service": make_service(cedar, "Loan", provided_by=(olga,)).pk,
        "staff": olga.pk,
        "location": make_location(cedar).pk,
    }

    page = as_sky.post(PAGE, booking_data(maple, **foreign))

    assert sorted(errors(page)) == ["client", "location", "method", "service", "staff"]
    assert not Appointment.objects.exists()


def test_staff_cannot_book_for_others(maple: Maple) -> None:
    responses = [signed_in(maple.sam).post(PAGE, booking_data(maple)), signed_in(maple.sam).get(PAGE)]

    assert [response.status_code for response in responses] == [403, 403]
    assert not Appointment.objects.exists()


# --- Hostile and many -------------------------------------------------------------------------------
def test_names_and_notes_are_escaped(maple: Maple, as_sky: Browser) -> None:
    name = "<b>Zoë</b> 🥥 " + "x" * 280
    client = make_client(maple.organization, name)

    sent = booking_data(maple, client=client.pk, notes="<script>alert(1)</script>")
    page = as_sky.post(PAGE, sent, follow=True).content.decode()

    assert "&lt;b&gt;Zoë&lt;/b&gt; 🥥 xxx" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_page_takes_the_same_queries_for_any_number_of_people(
    maple_with_teams: Maple, as_sky: Browser, how_many: int, django_assert_num_queries: Any
) -> None:
    others = [make_member(maple_with_teams.organization, f"Tess{n} Moor") for n in range(how_many - 1)]
    for member in others:
        make_hours(member)
    review = make_service(maple_with_teams.organization, "Video review", provided_by=(maple_with_teams.sam, *others))

    with django_assert_num_queries(13):
        as_sky.get(PAGE, booking_data(maple_with_teams, service=review.pk, method=VIDEO))
