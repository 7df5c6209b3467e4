"""Causes for which upcoming appointments need attention, computed on read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta

import pytest

from appointments.attention.conditions import load_with_cause, needing_attention, with_cause
from appointments.models import Appointment, Status
from services.methods import set_methods
from services.models import MeetingMethod, OfferedTo
from staff.hours import TimeRange, add_time_off, replace_week
from staff.planned_changes import Cause
from tests.appointments.conftest import Maple, monday
from tests.factories import make_location, make_member, make_organization

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]


def cause_of(appointment: Appointment) -> str:
    found: str = with_cause(Appointment.objects.all()).get(pk=appointment.pk).cause  # type: ignore[attr-defined]
    return found


def switch_off_sam(maple: Maple) -> None:
    maple.sam.is_active = False
    maple.sam.save()


def set_last_day(maple: Maple) -> None:
    maple.sam.last_day = monday(0).date() - timedelta(days=1)
    maple.sam.save()


def add_sams_time_off(maple: Maple) -> None:
    add_time_off(maple.sam, starts_at=monday(10, 15), ends_at=monday(12), reason="")


def shorten_sams_monday(maple: Maple) -> None:
    replace_week(maple.sam, [TimeRange(0, time(12), time(17))])


def unassign_sam(maple: Maple) -> None:
    maple.review.assignments.all().delete()


def switch_off_the_service(maple: Maple) -> None:
    maple.review.active = False
    maple.review.save()


def switch_off_at_location(maple: Maple) -> None:
    set_methods(maple.review, {MeetingMethod.PHONE: OfferedTo.STAFF})


CHANGES: dict[Cause, Callable[[Maple], None]] = {
    Cause.LEFT: switch_off_sam,
    Cause.AFTER_LAST_DAY: set_last_day,
    Cause.TIME_OFF: add_sams_time_off,
    Cause.OUTSIDE_HOURS: shorten_sams_monday,
    Cause.NOT_ASSIGNED: unassign_sam,
    Cause.SERVICE_OFF: switch_off_the_service,
    Cause.METHOD_OFF: switch_off_at_location,
}


@pytest.mark.parametrize("cause", CHANGES)
def test_each_cause_is_found(maple: Maple, cause: Cause) -> None:
    booked = maple.book()

    CHANGES[cause](maple)

    assert (cause_of(booked), list(needing_attention(maple.organization))) == (cause, [booked])
    assert list(needing_attention(maple.organization, [cause])) == [booked]
    others = [other for other in CHANGES if other != cause]
    assert list(needing_attention(maple.organization, others)) == []


def test_an_untouched_appointment_needs_no_attention(maple: Maple) -> None:
    booked = maple.book()

    assert (cause_of(booked), list(needing_attention(maple.organization))) == ("", [])


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.NO_SHOW, Status.SERVED, Status.IN_PROGRESS])
def test_an_appointment_that_cannot_move_needs_no_attention(maple: Maple, status: Status) -> None:
    booked = maple.book()
    Appointment.objects.update(status=status)

    switch_off_sam(maple)

    assert (cause_of(booked), list(needing_attention(maple.organization))) == ("", [])


def test_another_organisation_is_left_out(maple: Maple) -> None:
    maple.book()
    switch_off_sam(maple)

    assert list(needing_attention(make_organization("Cedar Bank"))) == []


def test_an_appointment_outside_the_hours_on_purpose_needs_no_attention(maple: Maple) -> None:
    booked = maple.book(starts_at=monday(20), outside_hours=True)

    shorten_sams_monday(maple)

    assert cause_of(booked) == ""


def test_hours_that_come_back_settle_the_appointment(maple: Maple) -> None:
    booked = maple.book()
    shorten_sams_monday(maple)

    replace_week(maple.sam, [TimeRange(0, time(9), time(17))])

    assert cause_of(booked) == ""


def test_the_last_day_ends_at_midnight_in_the_persons_zone(maple: Maple) -> None:
    late = maple.book(starts_at=monday(23), outside_hours=True)
    maple.sam.last_day = date(2026, 11, 30)
    maple.sam.save()
    assert cause_of(late) == ""

    # In Auckland, Monday 23:00 UTC is Tuesday.
    auckland = make_location(maple.organization, "Queen Street", time_zone="Pacific/Auckland")
    maple.sam.location = auckland
    maple.sam.save()

    assert cause_of(late) == Cause.AFTER_LAST_DAY


def test_a_page_of_the_list_takes_two_queries(maple: Maple, django_assert_num_queries) -> None:
    for number in range(3):
        person = make_member(maple.organization, f"Person{number}")
        maple.review.assignments.create(staff=person)
        maple.book(staff=person, outside_hours=True)
        person.is_active = False
        person.save()

    with django_assert_num_queries(2):
        assert len(load_with_cause(needing_attention(maple.organization))) == 3
