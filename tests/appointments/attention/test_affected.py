"""Appointments that a planned change concerns."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appointments.attention.affected import affected_by, find_affected
from services.models import MeetingMethod
from staff.planned_changes import Cause, PlannedChange
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment, make_client, make_location, make_service

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]


def closing(maple: Maple, location: int, **fields: object) -> PlannedChange:
    period = {"starts_at": monday(0), "ends_at": monday(0) + timedelta(days=1)}
    return PlannedChange(maple.organization, Cause.LOCATION_CLOSED, location=location, **{**period, **fields})  # type: ignore[arg-type]


def test_time_off_concerns_the_appointments_that_overlap_it(maple: Maple) -> None:
    inside, overlapping = maple.book(starts_at=monday(10)), maple.book(starts_at=monday(11, 45))
    maple.book(starts_at=monday(9, 30))
    maple.book(starts_at=monday(13))

    change = PlannedChange(
        maple.organization, Cause.TIME_OFF, people=(maple.sam.pk,), starts_at=monday(10), ends_at=monday(12)
    )

    assert list(affected_by(change)) == [inside, overlapping]


def test_a_closing_concerns_the_appointments_at_the_location_only(maple: Maple) -> None:
    place = make_location(maple.organization)
    there = maple.book(location=place)
    maple.book(starts_at=monday(11), method=MeetingMethod.PHONE)

    assert list(affected_by(closing(maple, place.pk))) == [there]


def test_a_closing_can_concern_phone_appointments_of_its_staff(maple: Maple) -> None:
    place = make_location(maple.organization)
    maple.sam.location = place
    maple.sam.save()
    there, by_phone = maple.book(), maple.book(starts_at=monday(11), method=MeetingMethod.PHONE)

    assert list(affected_by(closing(maple, place.pk, also_remote=True))) == [there, by_phone]


def test_a_closing_without_an_end_concerns_everything_after_its_start(maple: Maple) -> None:
    place = make_location(maple.organization)
    maple.book(location=place)
    later = maple.book(location=place, starts_at=monday(10) + timedelta(days=1))

    change = closing(maple, place.pk, starts_at=monday(0) + timedelta(days=1), ends_at=None)

    assert list(affected_by(change)) == [later]


def test_a_switched_off_method_concerns_its_appointments_of_the_service(maple: Maple) -> None:
    maple.book()
    by_phone = maple.book(starts_at=monday(11), method=MeetingMethod.PHONE)
    other = make_service(maple.organization, "Loan", provided_by=(maple.sam,), methods=(MeetingMethod.PHONE,))
    maple.book(service=other, starts_at=monday(12), method=MeetingMethod.PHONE)

    change = PlannedChange(
        maple.organization, Cause.METHOD_OFF, services=(maple.review.pk,), methods=(MeetingMethod.PHONE,)
    )

    assert list(affected_by(change)) == [by_phone]


def test_the_list_shows_the_first_ones_with_the_words_and_counts_all(maple: Maple) -> None:
    change = PlannedChange(maple.organization, Cause.LEFT, people=(maple.sam.pk,))
    dora = make_client(maple.organization, "Dora Klein", email="dora@example.com")
    for hour in range(30):
        make_appointment(maple.review, maple.sam, dora if hour == 29 else maple.cleo, monday(9) + timedelta(hours=hour))

    found = find_affected(change, "dora")

    assert (found.number, found.matching, [row.client for row in found.first]) == (30, 1, ["Dora Klein"])
    assert len(find_affected(change).first) == 20
