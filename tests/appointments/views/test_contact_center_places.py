"""The Contact Center: where the appointment takes place, who can host a video call, and the confirmation."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment
from integrations.connections.disconnect import disconnect_connection
from integrations.models import Connection
from services.models import MeetingMethod
from staff.models import StaffMember, VideoChoice
from tests.appointments.booking_payloads import PAGE, errors, wish
from tests.appointments.conftest import Maple, monday
from tests.cast import signed_in
from tests.factories import make_location, make_member, make_organization

pytestmark = pytest.mark.usefixtures("friday")


# --- Places -----------------------------------------------------------------------------------------
def test_a_location_leaves_those_who_work_there_and_is_where_the_client_goes(
    maple: Maple, as_sky: Browser, tess: StaffMember
) -> None:
    place = make_location(maple.organization, "Rosedale")
    make_location(maple.organization, "Main Street")
    maple.sam.location = make_location(maple.organization, "Harbourfront")
    maple.sam.save()
    tess.location = place
    tess.save()

    as_sky.post(PAGE, wish(maple, location=place.pk))
    page = as_sky.post(PAGE, wish(maple, location=place.pk, staff=maple.sam.pk, request_key="another"))

    booked = Appointment.objects.get()
    assert (booked.staff, booked.location) == (tess, place)
    assert errors(page) == {
        "staff": ["Sam Okafor does not work at Rosedale. Choose someone else, or another location."]
    }


def test_there_is_no_location_to_choose_for_a_call(maple: Maple, as_sky: Browser) -> None:
    place, _other = make_location(maple.organization), make_location(maple.organization, "Rosedale")

    as_sky.post(PAGE, wish(maple, method=MeetingMethod.PHONE.value, location=place.pk))

    assert Appointment.objects.get().location is None


# --- Video ------------------------------------------------------------------------------------------
VIDEO = MeetingMethod.VIDEO.value


def test_for_video_anyone_means_those_who_can_host_and_the_others_are_named(
    maple_with_teams: Maple, as_sky: Browser, tess: StaffMember
) -> None:
    page = as_sky.post(PAGE, wish(maple_with_teams, method=VIDEO, preview="choices"))

    times = page.context["form"].times
    assert {free.member for day in times.days for free in day.times} == {maple_with_teams.sam}
    assert "<strong>Tess Moor</strong>: Video Calls is off." in page.content.decode()


@pytest.mark.parametrize("with_sam", [True, False])
def test_a_platform_that_went_between_looking_and_saving_is_said_and_nothing_is_lost(
    maple_with_teams: Maple, as_sky: Browser, with_sam: bool
) -> None:
    maple = maple_with_teams
    payload = wish(maple, method=VIDEO, staff=maple.sam.pk if with_sam else "")
    looked = as_sky.get(PAGE, payload)
    disconnect_connection(Connection.objects.get(), None)

    page = as_sky.post(PAGE, payload)

    assert looked.context["form"].people.able == [maple.sam]
    [sentence] = errors(page)["staff"]
    assert sentence.startswith("Sam Okafor has no video platform." if with_sam else "Nobody can take this")
    assert "<strong>Sam Okafor</strong>: No video platform." in page.content.decode()
    assert "Brings her passport" in page.content.decode()
    assert not Appointment.objects.exists()


def test_anyone_is_nobody_on_a_personal_link_that_the_page_did_not_name(
    maple_with_teams: Maple, as_sky: Browser, tess: StaffMember
) -> None:
    payload = wish(maple_with_teams, method=VIDEO, slot=f"{int(monday(10).timestamp())}-{tess.pk}")
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
    return as_sky.post(PAGE, wish(maple, **changes), follow=True).content.decode()


def test_the_confirmation_names_person_time_and_what_comes_next(maple: Maple, as_sky: Browser) -> None:
    page = booked_page(as_sky, maple)

    assert "<strong>Cleo Brandt</strong> meets <strong>Sam Okafor</strong>: Mortgage review" in page
    assert "Monday 30 November 2026" in page
    assert f'<a class="btn btn-primary" href="{PAGE}" autofocus>Book another</a>' in page
    assert f'href="{PAGE}?client={maple.cleo.pk}"' in page
    assert "For the client" not in page


def test_a_client_in_another_zone_is_told_apart_before_and_after(maple: Maple, as_sky: Browser) -> None:
    maple.cleo.time_zone = "Asia/Tokyo"
    maple.cleo.save()

    before = as_sky.get(PAGE, wish(maple)).content.decode()
    after = booked_page(as_sky, maple)

    assert "Mon 30 Nov 2026, 10:00 with Sam Okafor (19:00 for the client)" in before
    assert "Below each stands the client’s, in Tokyo time (JST)." in before
    assert (
        '<strong>Monday 30 November 2026, 19:00</strong><br><span class="muted">Tokyo time (JST)</span>'
        in after
    )


def test_the_confirmation_of_a_video_call_follows_its_link(maple_with_teams: Maple, as_sky: Browser) -> None:
    page = booked_page(as_sky, maple_with_teams, method=VIDEO)

    assert "Creating the Microsoft Teams link…" in page


def test_the_confirmation_of_another_organisations_appointment_does_not_exist(
    maple: Maple, as_sky: Browser
) -> None:
    cedar = make_organization("Cedar Bank")
    otto = make_member(cedar, "Otto Keller", "admin")
    booked = maple.book()

    assert signed_in(otto).get(reverse("contact-center-booked", args=[booked.pk])).status_code == 404
