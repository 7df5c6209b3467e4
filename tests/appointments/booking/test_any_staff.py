"""Book with any staff: the free person with the least booked time that day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from appointments.booking.any_staff import book_with_any_staff
from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.models import Appointment, BookedThrough
from integrations.models import UserMatch
from services.models import MeetingMethod, ServiceAssignment
from staff.models import StaffMember, TimeOff
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment, make_hours, make_match, make_member, make_organization

pytestmark = pytest.mark.usefixtures("friday")


@pytest.fixture
def kim(maple: Maple) -> StaffMember:
    """Staff member who also provides the review."""
    member = make_member(maple.organization, "Kim")
    make_hours(member)
    ServiceAssignment.objects.create(service=maple.review, staff=member)
    return member


def book(maple: Maple, *people: StaffMember, **changes: Any) -> Appointment:
    arguments = {
        "organization": maple.organization,
        "service": maple.review,
        "people": people,
        "client": maple.cleo,
        "starts_at": monday(10),
        "method": MeetingMethod.AT_LOCATION,
        "actor": maple.sky,
        "through": BookedThrough.CONTACT_CENTER,
    }
    return book_with_any_staff(**{**arguments, **changes})


def booking_error(maple: Maple, *people: StaffMember, **changes: Any) -> tuple[str, str]:
    with pytest.raises(BookingError) as refused:
        book(maple, *people, **changes)
    return refused.value.field, refused.value.sentence


def test_the_person_with_the_least_booked_time_that_day_takes_it(maple: Maple, kim: StaffMember):
    make_appointment(maple.review, maple.sam, maple.cleo, monday(15))
    # Another day does not count.
    for hour in (9, 11, 13):
        make_appointment(maple.review, kim, maple.cleo, monday(hour) + timedelta(days=1))

    assert book(maple, maple.sam, kim).staff == kim


def test_the_person_whose_time_was_shown_is_tried_first(maple: Maple, kim: StaffMember):
    make_appointment(maple.review, kim, maple.cleo, monday(15))

    assert book(maple, maple.sam, kim, first=kim).staff == kim
    assert book(maple, maple.sam, kim, first=kim).staff == maple.sam


def test_staff_who_are_busy_or_off_are_skipped(maple: Maple, kim: StaffMember):
    TimeOff.objects.create(staff=kim, starts_at=monday(9), ends_at=monday(12))
    lou = make_member(maple.organization, "Lou")

    assert book(maple, kim, lou, maple.sam).staff == maple.sam
    with pytest.raises(TimeTaken) as taken:
        book(maple, kim, lou, maple.sam)
    assert taken.value.sentence == "Nobody is free at Mon 30 Nov 2026, 10:00. Choose another time."
    assert taken.value.next_free == [monday(10, 30), monday(10, 45), monday(11)]


def test_a_taken_time_lists_the_next_free_times_of_any_staff(maple: Maple, kim: StaffMember):
    for member in (maple.sam, kim):
        make_appointment(maple.review, member, maple.cleo, monday(10))
    make_appointment(maple.review, maple.sam, maple.cleo, monday(10, 30))

    with pytest.raises(TimeTaken) as taken:
        book(maple, maple.sam, kim)

    assert taken.value.next_free == [monday(10, 30), monday(10, 45), monday(11)]


def test_outside_working_hours_is_for_staff_only(maple: Maple):
    assert book(maple, maple.sam, starts_at=monday(7), outside_hours=True).starts_at == monday(7)
    assert booking_error(
        maple,
        maple.sam,
        starts_at=monday(6),
        outside_hours=True,
        through=BookedThrough.CLIENT_VIEW,
        actor=None,
    ) == ("starts_at", "Nobody is free at Mon 30 Nov 2026, 06:00. Choose another time.")


def test_each_rule_of_the_service_has_its_own_sentence(maple: Maple):
    maple.review.minimum_notice = 60 * 24 * 5
    by_cleo = {"through": BookedThrough.CLIENT_VIEW, "actor": None}

    assert booking_error(maple, maple.sam, **by_cleo)[1] == "That is too soon to be booked. Choose a later time."
    assert booking_error(maple, maple.sam, starts_at=monday(10) - timedelta(days=7))[1] == (
        "That time has passed. Choose a later one."
    )


def test_without_candidates_no_one_can_be_booked(maple: Maple):
    assert booking_error(maple) == (
        "staff",
        "Nobody takes this appointment. Choose another service or meeting method.",
    )


def test_staff_who_left_or_can_no_longer_host_are_skipped(maple_with_teams: Maple, kim: StaffMember):
    maple = maple_with_teams
    make_match(maple.organization.connections.get(), kim)
    UserMatch.objects.filter(staff=kim).update(enabled=False)

    assert book(maple, kim, maple.sam, first=kim, method=MeetingMethod.VIDEO).staff == maple.sam


def test_a_repeated_request_returns_the_same_appointment_with_any_staff(maple: Maple, kim: StaffMember):
    first = book(maple, maple.sam, kim, request_key="form-1")

    assert book(maple, maple.sam, kim, request_key="form-1") == first
    assert book(maple, first.staff, request_key="form-1") == first
    assert Appointment.objects.count() == 1


def test_rows_of_another_organisation_are_refused_for_any_staff(maple: Maple):
    cedar = make_organization("Cedar Bank")

    assert booking_error(maple, maple.sam, organization=cedar)[1] == (
        "That choice is not available here. Choose another one."
    )
    foreign = make_member(cedar, "Otto Lind")
    make_hours(foreign)
    assert booking_error(maple, foreign) == (
        "staff",
        "That choice is not available here. Choose another one.",
    )


@pytest.mark.parametrize("how_many", [1, 3])
def test_any_number_of_people_takes_the_same_queries(how_many: int, maple: Maple, django_assert_num_queries: Any):
    people = [maple.sam]
    for number in range(how_many - 1):
        people.append(make_member(maple.organization, f"Tess{number}"))
        make_hours(people[-1])
        ServiceAssignment.objects.create(service=maple.review, staff=people[-1])
    loaded = list(StaffMember.objects.filter(pk__in=[m.pk for m in people]).select_related("organization", "location"))

    # Calendars of all people, then two locks, offer, calendar, appointment, event, emails (3) and the savepoint (2).
    with django_assert_num_queries(12):
        book(maple, *loaded)
