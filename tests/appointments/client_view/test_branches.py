"""Branches in the Client View and the Contact Center: address, hours, search, distance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import time
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from appointments.client_view.branches import MANY_BRANCHES
from coconut.web.response_headers import PERMISSIONS_POLICY
from services.models import MeetingMethod
from staff.hours import TimeRange
from staff.locations.week import replace_opening_week
from staff.models import Location
from tests.appointments.conftest import NOW, Maple
from tests.appointments.mailbox import event_of, part, sent_to
from tests.cast import signed_in
from tests.factories import make_location, make_member
from tests.outbox import send_all

OFFICE = [TimeRange(day, time(9), time(17)) for day in range(5)]


@pytest.fixture(autouse=True)
def friday() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def add_branch(maple: Maple, name: str, **fields: Any) -> Location:
    location = make_location(maple.organization, name, **fields)
    maple.review.assignments.create(
        staff=make_member(maple.organization, f"{name.replace(' ', '')} Kim", location=location)
    )
    return location


@pytest.fixture
def main_street(maple: Maple) -> Location:
    location = add_branch(
        maple,
        "Main Street",
        street="120 Main Street",
        city="Toronto",
        postal_code="M4E 2V8",
        country="CA",
        latitude="43.684700",
        longitude="-79.299600",
    )
    replace_opening_week(location, OFFICE)
    return location


@pytest.fixture
def vancouver(maple: Maple) -> Location:
    return add_branch(maple, "Vancouver", city="Vancouver", postal_code="V6C 3A8")


def locations_step(maple: Maple, **choices: str) -> Any:
    chosen = {"service": str(maple.review.pk), "method": str(MeetingMethod.AT_LOCATION.value), **choices}
    return Browser().get(reverse("book", args=["maple"]), chosen)


def names(response: Any) -> list[str]:
    return [branch.location.name for branch in response.context["branches"]]


def test_each_branch_has_its_address_and_hours(maple: Maple, main_street: Location, vancouver: Location) -> None:
    text = locations_step(maple).content.decode()

    assert "120 Main Street, Toronto, M4E 2V8, Canada" in text
    assert "Mon–Fri 09:00–17:00" in text
    assert "Today 09:00–17:00" in text


@pytest.mark.parametrize("typed", ["toronto", "MAIN", "m4e 2v8", "M4E2V8", "m4e", "Main Street, Toronto"])
def test_a_branch_is_found_by_name_city_and_postal_code(
    maple: Maple, main_street: Location, vancouver: Location, typed: str
) -> None:
    assert names(locations_step(maple, q=typed)) == ["Main Street"]


def test_a_search_without_result_leads_back_to_all(maple: Maple, main_street: Location, vancouver: Location) -> None:
    text = locations_step(maple, q="Halifax").content.decode()

    assert "No location matches this search." in text
    assert "Show all locations" in text


def test_only_many_branches_have_a_search(maple: Maple, main_street: Location, vancouver: Location) -> None:
    assert not locations_step(maple).context["has_search"]

    for number in range(MANY_BRANCHES):
        add_branch(maple, f"Branch {number}")

    assert 'role="search"' in locations_step(maple).content.decode()


def test_the_browser_can_sort_by_distance_and_may_ask_for_the_position_on_this_page_only(
    maple: Maple, main_street: Location, vancouver: Location
) -> None:
    step = locations_step(maple)

    assert 'data-latitude="43.684700" data-longitude="-79.299600"' in step.content.decode()
    assert 'id="sort-by-distance" hidden' in step.content.decode()
    assert "geolocation=(self)" in step["Permissions-Policy"]
    assert Browser().get(reverse("book", args=["maple"]))["Permissions-Policy"] == PERMISSIONS_POLICY


def test_branches_without_coordinates_have_no_button(maple: Maple, vancouver: Location) -> None:
    add_branch(maple, "King Street")

    assert "sort-by-distance" not in locations_step(maple).content.decode()


@pytest.mark.parametrize("how_many", [2, 12])
def test_any_number_of_branches_takes_the_same_queries(
    maple: Maple, how_many: int, django_assert_num_queries: Any
) -> None:
    for number in range(how_many):
        replace_opening_week(add_branch(maple, f"Branch {number}"), OFFICE)

    with django_assert_num_queries(15):
        locations_step(maple)


def test_a_map_is_linked_on_the_pages_and_in_the_email_of_an_appointment(maple: Maple, main_street: Location) -> None:
    maple.sam.location = main_street
    maple.sam.save()
    booked = maple.book()
    send_all()

    page = Browser().get(reverse("manage-appointment", args=[booked.manage_token])).content.decode()
    email = sent_to("cleo@example.com")
    address = "https://www.google.com/maps/search/?api=1&query=43.684700%2C-79.299600"
    assert address.replace("&", "&amp;") in page
    assert f"Map: {address}" in part(email, "text/plain")
    html = part(email, "text/html")
    assert re.search(rf'<a href="{re.escape(address.replace("&", "&amp;"))}"[^>]*>Map</a>', html)
    assert event_of(email)[1]["GEO"].to_ical() == "43.6847;-79.2996"


def test_the_contact_center_shows_address_and_hours_of_the_chosen_branch(
    maple: Maple, main_street: Location, vancouver: Location
) -> None:
    choices = {
        "service": str(maple.review.pk),
        "method": str(MeetingMethod.AT_LOCATION.value),
        "location": str(main_street.pk),
    }

    text = signed_in(maple.sky).get(reverse("contact-center"), choices).content.decode()

    assert "120 Main Street, Toronto, M4E 2V8, Canada" in text
    assert "Mon–Fri 09:00–17:00" in text
