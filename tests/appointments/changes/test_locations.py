"""Changes of a location with booked appointments, and locations that take no new ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from appointments.attention.conditions import needing_attention
from appointments.booking_rules.errors import BookingError
from appointments.changes.meeting_method import change_method
from appointments.models import Appointment, BookedThrough
from services.models import MeetingMethod
from staff.models import Location, LocationHours, Role, Weekday
from staff.planned_changes import Cause
from tests.appointments.conftest import NOW, Maple, monday
from tests.cast import signed_in
from tests.factories import make_location, make_member

CLOSED = "Main Street takes no new appointments. Choose another location or meeting method."


@pytest.fixture(autouse=True)
def friday() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def branch(maple: Maple) -> Location:
    location = make_location(maple.organization, time_zone=ZoneInfo("America/Toronto"))
    maple.sam.location, maple.sam.time_zone = location, ZoneInfo("UTC")
    maple.sam.save()
    return location


@pytest.fixture
def ada(maple: Maple) -> Browser:
    return signed_in(make_member(maple.organization, "Ada Lovell", Role.ADMIN))


def submit(browser: Browser, location: Location, **changes: str) -> Any:
    details = {"name": location.name, "time_zone": location.time_zone.key, "active": "on", **changes}
    return browser.post(reverse("location-edit", args=[location.pk]), details)


def test_another_zone_is_saved_only_after_the_admin_confirmed_the_new_local_times(
    maple: Maple, ada: Browser, branch: Location
) -> None:
    booked = maple.book(starts_at=monday(14))

    asked = submit(ada, branch, time_zone="America/Vancouver")

    (notice,) = asked.context["form"].notices
    assert notice == (
        "1 upcoming appointment at this location keeps its moment, so its local time changes: "
        "Mon 30 Nov 2026, 09:00 becomes Mon 30 Nov 2026, 07:00. Clients are not notified."
    )
    branch.refresh_from_db()
    assert branch.time_zone.key == "America/Toronto"

    submit(ada, branch, time_zone="America/Vancouver", confirmed="on")

    branch.refresh_from_db()
    booked.refresh_from_db()
    assert (branch.time_zone.key, booked.starts_at) == ("America/Vancouver", monday(14))


def test_another_zone_needs_no_confirmation_without_upcoming_appointments(
    maple: Maple, ada: Browser, branch: Location
) -> None:
    past = maple.book(starts_at=monday(10))
    Appointment.objects.filter(pk=past.pk).update(status="cancelled")

    submit(ada, branch, time_zone="America/Vancouver")

    branch.refresh_from_db()
    assert branch.time_zone.key == "America/Vancouver"


def test_closing_a_location_asks_about_its_upcoming_appointments(maple: Maple, ada: Browser, branch: Location) -> None:
    for hour in (10, 14):
        maple.book(starts_at=monday(hour))
    maple.book(starts_at=monday(16), method=MeetingMethod.PHONE)

    asked = submit(ada, branch, active="")

    branch.refresh_from_db()
    assert "This change concerns 2 booked appointments" in asked.text
    assert branch.active


def test_appointments_left_at_a_closed_location_need_attention(maple: Maple, ada: Browser, branch: Location) -> None:
    booked = maple.book(starts_at=monday(10))

    submit(ada, branch, active="", affected="leave")

    branch.refresh_from_db()
    assert not branch.active
    assert [*needing_attention(maple.organization, [Cause.LOCATION_CLOSED])] == [booked]


def test_another_zone_asks_about_appointments_that_it_leaves_outside_the_opening_hours(
    maple: Maple, ada: Browser, branch: Location
) -> None:
    LocationHours.objects.create(location=branch, weekday=Weekday.MONDAY, start=time(9), end=time(17))
    maple.book(starts_at=monday(14))

    asked = submit(ada, branch, time_zone="America/Vancouver", confirmed="on")

    assert "This change concerns 1 booked appointment" in asked.text


def test_other_details_need_no_confirmation(maple: Maple, ada: Browser, branch: Location) -> None:
    maple.book()

    submit(ada, branch, name="King Street")

    branch.refresh_from_db()
    assert branch.name == "King Street"


@pytest.mark.parametrize("chooses", [True, False])
def test_a_closed_location_takes_no_new_appointment(maple: Maple, branch: Location, chooses: bool) -> None:
    Location.objects.update(active=False)

    with pytest.raises(BookingError) as refusal:
        maple.book(location=branch if chooses else None)

    assert (refusal.value.sentence, refusal.value.field) == (CLOSED, "location")


def test_staff_of_a_closed_location_still_take_phone_calls(maple: Maple, branch: Location) -> None:
    Location.objects.update(active=False)

    assert maple.book(method=MeetingMethod.PHONE).pk


def test_a_booked_appointment_keeps_its_closed_location(maple: Maple, branch: Location) -> None:
    booked = maple.book()
    Location.objects.update(active=False)

    changed = change_method(booked, method=MeetingMethod.PHONE, actor=maple.sky, through=BookedThrough.SCHEDULE)

    assert changed.location == branch


def test_an_appointment_cannot_change_to_a_closed_location(maple: Maple, branch: Location) -> None:
    booked = maple.book()
    other = make_location(maple.organization, "Old Town", active=False)

    with pytest.raises(BookingError, match="Old Town takes no new appointments"):
        change_method(
            booked,
            method=MeetingMethod.AT_LOCATION,
            actor=maple.sky,
            through=BookedThrough.SCHEDULE,
            location=other,
        )


def test_the_client_view_offers_no_closed_location(maple: Maple, branch: Location) -> None:
    maple.sky.location = make_location(maple.organization, "Old Town", active=False)
    maple.sky.save()
    maple.review.assignments.create(staff=maple.sky)
    address = reverse("book", args=["maple"])

    page = Browser().get(address, {"service": maple.review.pk, "method": MeetingMethod.AT_LOCATION.value})

    assert page.context["selection"].locations == [branch]


def test_the_contact_center_offers_neither_a_closed_location_nor_its_staff(maple: Maple, branch: Location) -> None:
    make_location(maple.organization, "King Street")
    Location.objects.filter(pk=branch.pk).update(active=False)
    choices = {"service": maple.review.pk, "method": MeetingMethod.AT_LOCATION.value, "client": maple.cleo.pk}

    form = signed_in(maple.sky).get(reverse("contact-center"), choices).context["form"]

    assert branch.pk not in dict(form.fields["location"].choices)
    assert maple.sam.pk not in form.people.able
