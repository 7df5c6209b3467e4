"""Contact Center: locations, hosts of video calls, and the confirmation."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment
from integrations.connections.disconnect import disconnect_connection
from integrations.models import Connection
from services.models import MeetingMethod
from staff.hours import TimeRange, replace_week
from staff.models import Location, StaffMember, VideoChoice
from tests.appointments.booking_payloads import PAGE, booking_data, errors
from tests.appointments.conftest import Maple, monday
from tests.cast import signed_in
from tests.factories import make_appointment, make_location, make_member, make_organization

pytestmark = pytest.mark.usefixtures("friday")


# --- Locations -----------------------------------------------------------------------------------------
def test_a_chosen_location_limits_the_staff_and_is_the_place_of_the_appointment(
    maple: Maple, as_sky: Browser, tess: StaffMember
) -> None:
    place = make_location(maple.organization, "Rosedale")
    make_location(maple.organization, "Main Street")
    maple.sam.location = make_location(maple.organization, "Harbourfront")
    maple.sam.save()
    tess.location = place
    tess.save()

    as_sky.post(PAGE, booking_data(maple, location=place.pk))
    page = as_sky.post(PAGE, booking_data(maple, location=place.pk, staff=maple.sam.pk, request_key="another"))

    booked = Appointment.objects.get()
    assert (booked.staff, booked.location) == (tess, place)
    assert errors(page) == {
        "staff": ["Sam Okafor does not work at Rosedale. Choose someone else, or another location."]
    }


def test_calls_offer_no_choice_of_location(maple: Maple, as_sky: Browser) -> None:
    place, _other = make_location(maple.organization), make_location(maple.organization, "Rosedale")

    as_sky.post(PAGE, booking_data(maple, method=MeetingMethod.PHONE.value, location=place.pk))

    assert Appointment.objects.get().location is None


# --- Video ------------------------------------------------------------------------------------------
VIDEO = MeetingMethod.VIDEO.value


def test_video_with_any_staff_offers_those_who_can_host_and_lists_the_others(
    maple_with_teams: Maple, as_sky: Browser, tess: StaffMember
) -> None:
    page = as_sky.post(PAGE, booking_data(maple_with_teams, method=VIDEO, preview="choices"))

    times = page.context["form"].times
    assert {free.member for day in times.days for free in day.times} == {maple_with_teams.sam}
    assert "<strong>Tess Moor</strong>: Video Calls is off." in page.content.decode()


@pytest.mark.parametrize("with_sam", [True, False])
def test_a_platform_disconnected_before_the_submit_is_an_error_and_the_input_is_kept(
    maple_with_teams: Maple, as_sky: Browser, with_sam: bool
) -> None:
    maple = maple_with_teams
    payload = booking_data(maple, method=VIDEO, staff=maple.sam.pk if with_sam else "")
    shown = as_sky.get(PAGE, payload)
    disconnect_connection(Connection.objects.get(), None)

    page = as_sky.post(PAGE, payload)

    assert shown.context["form"].people.able.pks == [maple.sam.pk]
    [sentence] = errors(page)["staff"]
    assert sentence.startswith("Sam Okafor has no video platform." if with_sam else "Nobody can take this")
    assert "<strong>Sam Okafor</strong>: No video platform." in page.content.decode()
    assert "Brings her passport" in page.content.decode()
    assert not Appointment.objects.exists()


def test_any_staff_uses_no_personal_link_that_the_page_did_not_show(
    maple_with_teams: Maple, as_sky: Browser, tess: StaffMember
) -> None:
    payload = booking_data(maple_with_teams, method=VIDEO, slot=f"{int(monday(10).timestamp())}-{tess.pk}")
    tess.video_choice, tess.personal_meeting_url = VideoChoice.PERSONAL, "https://meet.example/tess"
    tess.save()

    refused = as_sky.post(PAGE, payload)
    as_sky.post(PAGE, payload | {"named_links": refused.context["form"].links_to_name})

    assert errors(refused) == {
        "staff": ["Tess Moor takes video calls on a personal link. Press Book again if that is right."]
    }
    assert Appointment.objects.get().personal_meeting_url == "https://meet.example/tess"


# --- The confirmation -------------------------------------------------------------------------------
def booked_page(as_sky: Browser, maple: Maple, **changes: Any) -> str:
    return as_sky.post(PAGE, booking_data(maple, **changes), follow=True).content.decode()


def test_the_confirmation_shows_person_time_and_next_steps(maple: Maple, as_sky: Browser) -> None:
    page = booked_page(as_sky, maple)

    assert "<strong>Cleo Brandt</strong> meets <strong>Sam Okafor</strong>: Mortgage review" in page
    assert "Monday 30 November 2026" in page
    assert f'<a class="btn btn-primary" href="{PAGE}" autofocus>Book another</a>' in page
    assert f'href="{PAGE}?client={maple.cleo.pk}"' in page
    assert "For the client" not in page


def test_a_client_in_another_zone_sees_both_times_before_and_after(maple: Maple, as_sky: Browser) -> None:
    maple.cleo.time_zone = "Asia/Tokyo"
    maple.cleo.save()

    before = as_sky.get(PAGE, booking_data(maple, method=MeetingMethod.PHONE.value)).content.decode()
    after = booked_page(as_sky, maple, method=MeetingMethod.PHONE.value)

    assert "Mon 30 Nov 2026, 10:00 with Sam Okafor (19:00 for the client)" in before
    assert "Below each is the client’s time, in Tokyo time (JST)." in before
    assert (
        '<dd><strong>Monday 30 November 2026, <span class="text-nowrap">19:00–19:30</span></strong><br>'
        '<span class="muted">Tokyo time (JST)</span></dd>'
    ) in after


def test_any_location_shows_the_clock_of_each(maple: Maple, as_sky: Browser) -> None:
    maple.sam.location = make_location(maple.organization, "Ginza", time_zone=ZoneInfo("Asia/Tokyo"))
    maple.sam.time_zone = ZoneInfo("UTC")
    maple.sam.save()

    page = as_sky.get(PAGE, booking_data(maple)).content.decode()

    assert "Mon 30 Nov 2026, 10:00 with Sam Okafor (19:00 at the location)" in page


def test_the_other_clock_of_the_hour_that_comes_twice_is_right(maple: Maple, as_sky: Browser) -> None:
    toronto = make_location(maple.organization, "King Street", time_zone=ZoneInfo("America/Toronto"))
    second = datetime(2027, 11, 7, 6, 30, tzinfo=UTC)
    booked = make_appointment(maple.review, maple.sam, maple.cleo, second, location=toronto)

    page = as_sky.get(reverse("contact-center-booked", args=[booked.pk])).content.decode()

    assert "01:30 EST – 02:00" in page


def test_a_location_in_another_zone_shows_its_clock_before_and_after(maple: Maple, as_sky: Browser) -> None:
    tokyo = make_location(maple.organization, "Ginza", time_zone=ZoneInfo("Asia/Tokyo"))
    make_location(maple.organization, "Shibuya")
    maple.cleo.time_zone = "America/Toronto"
    maple.cleo.save()

    before = as_sky.get(PAGE, booking_data(maple, location=tokyo.pk)).content.decode()
    after = booked_page(as_sky, maple, location=tokyo.pk)

    assert "Mon 30 Nov 2026, 10:00 with Sam Okafor (19:00 at the location)" in before
    assert "Below each is the time at the location." in before
    assert "<dt>At the location</dt>" in after
    assert '<span class="text-nowrap">19:00–19:30</span>' in after


def test_the_confirmation_of_a_video_call_follows_its_link(maple_with_teams: Maple, as_sky: Browser) -> None:
    page = booked_page(as_sky, maple_with_teams, method=VIDEO)

    assert "Creating the Microsoft Teams link…" in page


def test_the_confirmation_of_another_organisations_appointment_is_not_found(maple: Maple, as_sky: Browser) -> None:
    cedar = make_organization("Cedar Bank")
    otto = make_member(cedar, "Otto Keller", "admin")
    booked = maple.book()

    assert signed_in(otto).get(reverse("contact-center-booked", args=[booked.pk])).status_code == 404


# --- Search of branches -----------------------------------------------------------------------------
@pytest.fixture
def many_branches(maple: Maple) -> list[Location]:
    towns = [("Rosedale", "Toronto", "M4W 1A8"), ("Harbourfront", "Halifax", "B3H 1A1")]
    towns += [(f"Branch {number}", "Ottawa", "K1A 0B1") for number in range(6)]
    return [make_location(maple.organization, name, city=city, postal_code=code) for name, city, code in towns]


@pytest.mark.parametrize(
    ("words", "found"), [("halifax", ["Harbourfront"]), ("m4w1", ["Rosedale"]), ("rose", ["Rosedale"])]
)
def test_branches_are_searched_by_name_city_and_postal_code(
    maple: Maple, as_sky: Browser, many_branches: list[Location], words: str, found: list[str]
) -> None:
    page = as_sky.post(PAGE, booking_data(maple, preview="choices", location_words=words))

    offered = [label for value, label in page.context["form"].fields["location"].choices if value]
    assert offered == found
    assert 'name="location_words"' in page.text


def test_a_search_without_results_offers_all_branches_and_says_so(
    maple: Maple, as_sky: Browser, many_branches: list[Location]
) -> None:
    page = as_sky.post(PAGE, booking_data(maple, preview="choices", location_words="atlantis"))

    assert len(page.context["form"].fields["location"].choices) == len(many_branches) + 1
    assert "No location matches this search." in page.text


def test_the_chosen_branch_stays_chosen_beside_the_matches(
    maple: Maple, as_sky: Browser, many_branches: list[Location]
) -> None:
    rosedale = many_branches[0]

    page = as_sky.post(PAGE, booking_data(maple, preview="choices", location_words="halifax", location=rosedale.pk))

    form = page.context["form"]
    assert form.chosen_location == rosedale
    assert {label for value, label in form.fields["location"].choices if value} == {"Rosedale", "Harbourfront"}


def test_few_branches_need_no_search(maple: Maple, as_sky: Browser) -> None:
    make_location(maple.organization, "Rosedale")
    make_location(maple.organization, "Harbourfront")

    page = as_sky.post(PAGE, booking_data(maple, preview="choices"))

    assert 'name="location_words"' not in page.text


def test_any_location_names_the_other_locations_of_a_chosen_person(maple: Maple, as_sky: Browser) -> None:
    maple.sam.location = make_location(maple.organization)
    maple.sam.save()
    west_end = make_location(maple.organization, "West End")
    replace_week(maple.sam, [TimeRange(0, time(9), time(12)), TimeRange(0, time(13), time(17), west_end.pk)])

    page = as_sky.get(PAGE, booking_data(maple, staff=maple.sam.pk)).text
    chosen = as_sky.get(PAGE, booking_data(maple, staff=maple.sam.pk, location=west_end.pk)).text

    hint = "Sam Okafor also works at West End. Choose a location to see the times there."
    assert hint in page
    assert hint not in chosen
