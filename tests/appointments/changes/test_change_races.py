"""Concurrent changes of appointments, in threads against PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.changes.move import move_appointment, reassign_appointment
from appointments.changes.status import cancel_appointment, change_status
from appointments.models import Appointment, BookedThrough, Client, Status
from services.models import MeetingMethod, ServiceAssignment
from staff.models import StaffMember
from tests.appointments.booking_rules.test_lost_race import at_once
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment, make_client, make_hours, make_member

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("friday")]

CROWD = 8


def colleagues(maple: Maple, how_many: int) -> list[StaffMember]:
    people = [make_member(maple.organization, f"Colleague{number} Ito") for number in range(how_many)]
    for member in people:
        make_hours(member)
        ServiceAssignment.objects.create(service=maple.review, staff=member)
    return people


def test_concurrent_reassigns_to_one_person_at_one_time_succeed_once(maple: Maple) -> None:
    kim, *others = colleagues(maple, CROWD + 1)
    booked = [make_appointment(maple.review, member, maple.cleo, monday(10)) for member in others]

    results = at_once(
        [
            partial(reassign_appointment, one, staff=kim, actor=maple.sky, through=BookedThrough.SCHEDULE)
            for one in booked
        ]
    )

    refused = [result for result in results if isinstance(result, TimeTaken)]
    assert (Appointment.objects.filter(staff=kim).count(), len(refused)) == (1, CROWD - 1)
    assert all(result.next_free for result in refused)


def test_concurrent_moves_to_one_time_succeed_once(maple: Maple) -> None:
    starts = [monday(9), monday(9, 30), monday(10), monday(10, 30), monday(11), monday(11, 30)]
    booked = [make_appointment(maple.review, maple.sam, maple.cleo, start) for start in starts]

    results = at_once(
        [
            partial(
                move_appointment,
                one,
                starts_at=monday(14),
                actor=maple.sky,
                through=BookedThrough.SCHEDULE,
            )
            for one in booked
        ]
    )

    refused = [result for result in results if isinstance(result, TimeTaken)]
    assert (Appointment.objects.filter(starts_at=monday(14)).count(), len(refused)) == (1, len(booked) - 1)


def test_two_concurrent_drags_do_not_overwrite_each_other(maple: Maple) -> None:
    booked = maple.book()

    results = at_once(
        [
            partial(
                move_appointment,
                booked,
                starts_at=monday(hour),
                actor=maple.sky,
                through=BookedThrough.SCHEDULE,
                version=0,
            )
            for hour in (13, 15)
        ]
    )

    (refused,) = [result for result in results if isinstance(result, BookingError)]
    (moved,) = [result for result in results if isinstance(result, Appointment)]
    booked.refresh_from_db()
    assert (booked.starts_at, booked.version) == (moved.starts_at, 1)
    assert refused.sentence.startswith("Sky Larsen changed this appointment meanwhile: Moved from ")


def test_two_concurrent_swaps_wait_for_each_other(maple: Maple) -> None:
    """Check that rows are locked in the order of their pk, which avoids a deadlock."""
    ann, bob = colleagues(maple, 2)
    first = make_appointment(maple.review, ann, maple.cleo, monday(10))
    second = make_appointment(maple.review, bob, maple.cleo, monday(14))

    results = at_once(
        [
            partial(reassign_appointment, one, staff=staff, actor=maple.sky, through=BookedThrough.SCHEDULE)
            for one, staff in ((first, bob), (second, ann))
        ]
    )

    assert [result.staff for result in results] == [bob, ann]


@pytest.mark.parametrize("change", ["move", "cancel"])
def test_a_concurrent_start_and_change_have_one_winner(change: str, maple: Maple) -> None:
    client: Client = make_client(maple.organization, "Ned")
    today = monday(0).replace(month=11, day=27, hour=13)
    booked = make_appointment(maple.review, maple.sam, client, today, method=MeetingMethod.AT_LOCATION)
    by_sky: dict[str, Any] = {"actor": maple.sky, "through": BookedThrough.SCHEDULE, "version": 0}
    changes: dict[str, Callable[[], Any]] = {
        "move": partial(move_appointment, booked, starts_at=today.replace(hour=15), **by_sky),
        "cancel": partial(cancel_appointment, booked, **by_sky),
    }

    results = at_once([partial(change_status, booked, Status.IN_PROGRESS, **by_sky), changes[change]])

    booked.refresh_from_db()
    assert [isinstance(result, BookingError) for result in results].count(True) == 1
    assert booked.version == 1
    assert (booked.status == Status.IN_PROGRESS) == isinstance(results[0], Appointment)
