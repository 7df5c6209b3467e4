"""Bookings at locations that are closed, and at several locations."""

from __future__ import annotations

from datetime import date, time
from threading import Thread

import pytest
from django.db import connection, transaction

from appointments.booking.working_places import working_places
from appointments.booking_rules.errors import BookingError
from appointments.booking_rules.locks import lock_staff
from appointments.models import Appointment
from services.models import MeetingMethod, ServiceAssignment
from staff.closings.overrides import OverrideValues, add_closings
from staff.models import DateOverride, HolidayCalendar, Location
from tests.appointments.conftest import MONDAY, Maple, monday
from tests.factories import make_location

pytestmark = pytest.mark.usefixtures("friday")
DAY = date(2026, 11, 30)


@pytest.fixture
def branch(maple: Maple) -> Location:
    maple.sam.location = make_location(maple.organization)
    maple.sam.save()
    return maple.sam.location


def close(branch: Location, *hours: tuple[int, int], **fields: object) -> None:
    override = DateOverride.objects.create(location=branch, first_day=DAY, last_day=DAY, **fields)
    for start, end in hours:
        override.hours.create(start=time(start), end=time(end))


def refusal(maple: Maple, **changes: object) -> str:
    with pytest.raises(BookingError) as refused:
        maple.book(**changes)
    return refused.value.sentence


def test_a_closing_is_named_in_the_refusal(maple: Maple, branch: Location) -> None:
    close(branch, label="Staff training")

    assert refusal(maple) == "Main Street is closed on 30 November (Staff training). Choose another time."


def test_other_hours_of_the_location_are_named_in_the_refusal(maple: Maple, branch: Location) -> None:
    close(branch, (12, 16))

    assert refusal(maple) == "Main Street is open 12:00–16:00 on 30 November. Choose another time."
    assert maple.book(starts_at=monday(12)).starts_at == monday(12)


def test_a_holiday_is_named_in_the_refusal(maple: Maple, branch: Location) -> None:
    HolidayCalendar.objects.create(location=branch, country="CA", region="ON")
    christmas = MONDAY.replace(month=12, day=25, hour=10)

    sentence = refusal(maple, starts_at=christmas, method=MeetingMethod.PHONE)

    assert sentence == "Main Street is closed on 25 December (Christmas Day). Choose another time."


def test_calls_go_on_during_a_closing_of_appointments_in_person(maple: Maple, branch: Location) -> None:
    close(branch)

    assert maple.book(method=MeetingMethod.PHONE).starts_at == monday(10)


def test_staff_may_book_during_a_closing_and_clients_may_not(maple: Maple, branch: Location) -> None:
    close(branch)

    with pytest.raises(BookingError):
        maple.book_online(outside_hours=True)
    assert maple.book(outside_hours=True).location == branch


@pytest.mark.django_db(transaction=True)
def test_a_closing_waits_for_a_booking_that_is_being_made(maple: Maple, branch: Location) -> None:
    def close_branch() -> None:
        add_closings([branch], OverrideValues(DAY, DAY))
        connection.close()

    closing = Thread(target=close_branch)
    with transaction.atomic():
        lock_staff(maple.sam)
        closing.start()
        closing.join(0.5)
        seen_by_the_booking = branch.overrides.count()
    closing.join(10)

    assert (seen_by_the_booking, branch.overrides.count()) == (0, 1)


@pytest.mark.django_db(transaction=True)
def test_a_booking_that_waits_for_a_closing_is_refused(maple: Maple, branch: Location) -> None:
    refused = []

    def book() -> None:
        try:
            maple.book()
        except BookingError as error:
            refused.append(error.sentence)
        connection.close()

    booking = Thread(target=book)
    with transaction.atomic():
        add_closings([branch], OverrideValues(DAY, DAY))
        booking.start()
        booking.join(0.5)
    booking.join(10)

    assert refused == ["Main Street is closed on 30 November. Choose another time."]
    assert not Appointment.objects.exists()


# --- Several locations -------------------------------------------------------------------------------------
@pytest.fixture
def west_end(maple: Maple, branch: Location) -> Location:
    """Return a location where Sam works on Mondays."""
    place = make_location(maple.organization, "West End")
    maple.sam.working_hours.filter(weekday=0).update(location=place)
    return place


def test_an_appointment_in_person_is_booked_where_the_person_works_then(maple: Maple, west_end: Location) -> None:
    assert "outside the working hours" in refusal(maple)
    assert maple.book(location=west_end).location == west_end


def test_a_service_is_provided_only_at_the_locations_of_its_assignment(
    maple: Maple, branch: Location, west_end: Location
) -> None:
    ServiceAssignment.objects.get().locations.set([branch])

    assert refusal(maple, location=west_end) == (
        "Sam Okafor does not provide “Mortgage review” at this location. Choose someone who does, or another location."
    )
    assert maple.book(location=west_end, method=MeetingMethod.PHONE).starts_at == monday(10)


def test_people_work_at_their_home_branch_and_at_the_locations_of_their_hours(
    maple: Maple, branch: Location, west_end: Location
) -> None:
    make_location(maple.organization, "Harbourfront")

    assert working_places([maple.sam], maple.review).locations() == [branch, west_end]


def test_people_without_a_home_branch_work_at_every_location(maple: Maple) -> None:
    place = make_location(maple.organization)

    assert working_places([maple.sam], maple.review).at(place, [maple.sam]) == [maple.sam]
