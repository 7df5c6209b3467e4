"""The Client View with several locations: the client chooses one before the time, and reads its clock."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.test import Client as Browser

from appointments.models import Appointment
from services.models import MeetingMethod, ServiceAssignment
from staff.models import Location, StaffMember
from tests.appointments.conftest import Maple, monday
from tests.factories import make_hours, make_location, make_member, make_organization

pytestmark = pytest.mark.usefixtures("friday")
BASE = "http://testserver"


@pytest.fixture
def toronto(maple: Maple) -> Location:
    """Sam's location."""
    maple.sam.location = make_location(
        maple.organization, "King Street", street="1 King St, Toronto", time_zone=ZoneInfo("America/Toronto")
    )
    maple.sam.time_zone = None
    maple.sam.save()
    return maple.sam.location


@pytest.fixture
def vera(maple: Maple, toronto: Location) -> StaffMember:
    """Vera, who provides the review in Vancouver."""
    vancouver = make_location(maple.organization, "Granville Street", time_zone=ZoneInfo("America/Vancouver"))
    vera = make_member(maple.organization, "Vera Holt", location=vancouver)
    ServiceAssignment.objects.create(service=maple.review, staff=vera)
    make_hours(vera)
    return vera


def address(maple: Maple, **chosen: Any) -> str:
    query = {"service": maple.review.pk, "method": MeetingMethod.AT_LOCATION.value, "zone": "Australia/Sydney"}
    return f"/book/maple/?{urlencode(query | chosen)}"


def text_of(where: str) -> str:
    return str(Browser().get(where).content.decode())


def test_the_client_chooses_the_location_before_the_time(maple: Maple, vera: StaffMember, toronto: Location) -> None:
    page = text_of(address(maple))

    assert "Where would you like to come?" in page
    assert "Step 3 of 5" in page
    assert page.index("Granville Street") < page.index("King Street") < page.index("1 King St, Toronto")
    assert f"location={toronto.pk}" in page


def test_a_single_location_needs_no_choice(maple: Maple, toronto: Location) -> None:
    page = text_of(address(maple))

    assert "When suits you?" in page
    assert "Step 3 of 4" in page
    assert "King Street" in page


def test_other_methods_need_no_location(maple: Maple, vera: StaffMember) -> None:
    assert "When suits you?" in text_of(address(maple, method=MeetingMethod.PHONE.value))


def test_times_and_people_are_those_of_the_location_on_its_clock(maple: Maple, vera: StaffMember) -> None:
    page = text_of(address(maple, location=vera.location_id))

    assert "Times are in Vancouver time (MST)." in page
    assert ">09:00<" in page
    assert "Sam Okafor" not in page
    assert 'name="zone"' not in page


def test_a_chosen_person_brings_their_location(maple: Maple, vera: StaffMember) -> None:
    page = text_of(address(maple, staff=vera.pk))

    assert "Times are in Vancouver time (MST)." in page


def book(maple: Maple, **chosen: Any) -> Any:
    where = address(maple, start=int(monday(17).timestamp()), **chosen)
    form = Browser().get(where).context["form"]
    details = {"name": "Dora Winter", "email": "dora@example.com", "note": "", "token": form.token_to_send}
    return Browser().post(where, details, headers={"origin": BASE}, follow=True)


def test_location_and_clock_stand_before_book_and_after(maple: Maple, vera: StaffMember) -> None:
    before = text_of(address(maple, location=vera.location_id, start=int(monday(17).timestamp())))
    after = book(maple, location=vera.location_id).content.decode()

    for page in (before, after):
        for words in ("Granville Street", "Monday 30 November 2026", "10:00", "Vancouver time (MST)"):
            assert words in page
    booked = Appointment.objects.get()
    assert (booked.staff, booked.location) == (vera, vera.location)


def test_the_clients_own_zone_is_stored_and_not_that_of_the_location(maple: Maple, vera: StaffMember) -> None:
    book(maple, location=vera.location_id)

    booked = Appointment.objects.get()
    assert (str(booked.client.time_zone), str(booked.client_time_zone)) == ("Australia/Sydney", "Australia/Sydney")
    assert str(booked.client_zone) == "America/Vancouver"


def test_a_person_without_a_location_comes_to_the_only_one(maple: Maple, toronto: Location) -> None:
    tess = make_member(maple.organization, "Tess Moor")
    ServiceAssignment.objects.create(service=maple.review, staff=tess)
    make_hours(tess)

    page = text_of(address(maple, staff=tess.pk))

    assert "King Street" in page
    assert "Times are in Toronto time (EST)." in page


def test_a_person_without_a_location_needs_the_choice_of_one(maple: Maple, vera: StaffMember) -> None:
    tess = make_member(maple.organization, "Tess Moor")
    ServiceAssignment.objects.create(service=maple.review, staff=tess)
    make_hours(tess)

    assert "Where would you like to come?" in text_of(address(maple, staff=tess.pk))


def test_a_taken_time_is_replaced_by_times_of_the_same_location(maple: Maple, vera: StaffMember) -> None:
    where = address(maple, location=vera.location_id, start=int(monday(17).timestamp()))
    token = Browser().get(where).context["form"].token_to_send
    maple.book(staff=vera, starts_at=monday(17))
    details = {"name": "Dora Winter", "email": "dora@example.com", "note": "", "token": token}

    page = Browser().post(where, details, headers={"origin": BASE}).content.decode()

    assert "Monday 30 November, 10:30" in page
    assert "Monday 30 November, 09:00" not in page


def test_a_location_that_does_not_offer_the_service_is_not_found(maple: Maple, vera: StaffMember) -> None:
    other = make_location(make_organization("Cedar Bank"), "Cedar Hall")

    for pk in (other.pk, 0, "x"):
        response = Browser().get(address(maple, location=pk))
        assert response.status_code == 404
        assert "This can’t be booked at this location. Choose another one." in response.content.decode()


def test_a_person_of_another_location_is_refused(maple: Maple, vera: StaffMember, toronto: Location) -> None:
    response = Browser().get(address(maple, location=toronto.pk, staff=vera.pk))

    assert response.status_code == 404
    assert "Vera Holt doesn’t work at this location. Choose someone else." in response.content.decode()


def test_the_slots_of_a_location_are_those_of_its_people(maple: Maple, vera: StaffMember, toronto: Location) -> None:
    day: dict[str, Any] = {"service": maple.review.pk, "method": 1, "from": "2026-11-30", "days": 1, "zone": "UTC"}

    def first_slot(**more: Any) -> int:
        return int(Browser().get("/book/maple/slots/", day | more).json()["slots"][0])

    assert first_slot(location=toronto.pk) == int(monday(14).timestamp())
    assert first_slot(location=vera.location_id) == int(monday(16).timestamp())
    assert Browser().get("/book/maple/slots/", day | {"location": 0}).status_code == 404
