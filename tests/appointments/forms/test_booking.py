"""Invalid input in the booking form."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from appointments.models import Appointment
from tests.appointments.conftest import Maple, monday
from tests.appointments.views.test_booking import ADD, booking_data, errors, form_of

pytestmark = pytest.mark.usefixtures("friday")


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31"])
def test_a_day_outside_the_calendar_is_refused(maple: Maple, as_sky: Browser, date: str):
    page = as_sky.post(ADD, booking_data(maple, date=date))

    assert errors(page) == {"date": ["Enter a date such as 2026-12-31."]}


def test_a_past_time_does_not_offer_booking_outside_working_hours(maple: Maple, as_sky: Browser):
    page = as_sky.post(ADD, booking_data(maple, date="2026-11-23", time="03:00"))

    assert errors(page) == {"time": ["That time has passed. Choose a later one."]}
    assert not page.context["form"].date_time.offers_outside_hours


def test_the_search_text_never_makes_a_booking_invalid(maple: Maple, as_sky: Browser):
    as_sky.post(ADD, booking_data(maple, client_query="\0" + "Cleo " * 100))

    assert Appointment.objects.count() == 1


def test_characters_that_the_database_refuses_are_ignored_in_a_search(maple: Maple, as_sky: Browser):
    assert form_of(as_sky, client_query="\0Cleo").client_group.clients == [maple.cleo]


def test_a_client_is_found_by_a_name_that_was_copied_from_outlook(maple: Maple, as_sky: Browser) -> None:
    assert form_of(as_sky, client_query="Brandt, Cleo").client_group.clients == [maple.cleo]


def test_a_form_without_its_request_key_is_refused(maple: Maple, as_sky: Browser):
    page = as_sky.post(ADD, booking_data(maple, request_key=None))

    assert "Part of this form was lost. Open it again." in page.content.decode()


def test_an_error_shows_the_time_in_the_users_zone(maple: Maple, as_sky: Browser):
    maple.sky.time_zone = "America/Toronto"
    maple.sky.save()
    maple.book(starts_at=monday(15))

    page = as_sky.post(ADD, booking_data(maple, time="10:00"))

    assert errors(page) == {"time": ["Sam Okafor is not free at Mon 30 Nov 2026, 10:00. Choose another time."]}


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("new_name", "Abe\r\nLind", "Write this on one line, without tabs and other control characters."),
        ("new_phone", "+1 555\r\n0100", "Enter a phone number, such as +1 506 234 5678."),
    ],
)
def test_a_new_clients_details_must_be_a_single_line(
    maple: Maple, as_sky: Browser, field: str, typed: str, sentence: str
):
    page = as_sky.post(ADD, booking_data(maple, **{"client": "new", "new_name": "Abe Lind", field: typed}))

    assert errors(page) == {field: [sentence]}
