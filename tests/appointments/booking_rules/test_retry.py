"""Concurrent bookings of one time, in threads against PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from appointments.booking import book as booking
from appointments.booking.any_staff import book_with_any_staff
from appointments.booking_rules import retry, validation
from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.booking_rules.locks import lock_staff
from appointments.changes import move as moving
from appointments.changes.move import move_appointment
from appointments.changes.status import cancel_appointment
from appointments.clients import book_for
from appointments.models import Appointment, BookedThrough, Client, Notification
from integrations.models import Meeting
from services.models import MeetingMethod, ServiceAssignment
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment, make_hours, make_member, make_service

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("friday")]

CROWD = 8


def at_once(actions: list[Callable[[], Any]]) -> list[Any]:
    """Run the actions in threads that start together; return results and booking errors."""
    barrier = Barrier(len(actions))

    def run(action: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return action()
        except BookingError as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every check find the time free, so that only the database can refuse."""
    for module in (booking, moving):
        monkeypatch.setattr(module, "check_time", lambda wish: None)


def taken_among(answers: list[Any]) -> list[TimeTaken]:
    return [answer for answer in answers if isinstance(answer, TimeTaken)]


def test_of_a_crowd_that_wants_one_time_exactly_one_gets_it(maple_with_teams: Maple) -> None:
    book = maple_with_teams.book
    answers = at_once([lambda: book(method=MeetingMethod.VIDEO)] * 50)

    assert Appointment.objects.busy().count() == 1
    assert [taken.next_free for taken in taken_among(answers)] == [
        [monday(10, 30), monday(10, 45), monday(11)]
    ] * 49
    # The losers leave no meeting and no email.
    assert (Meeting.objects.count(), Notification.objects.count()) == (1, 2)


def test_times_that_overlap_are_one_time(maple: Maple) -> None:
    starts = [monday(10, minute) for minute in (0, 5, 10, 15, 20, 25)]

    at_once([lambda start=start: maple.book(starts_at=start) for start in starts])  # type: ignore[misc]

    assert Appointment.objects.busy().count() == 1


def test_times_of_different_lengths_that_overlap_are_one_time(maple: Maple) -> None:
    services = [
        make_service(
            maple.organization, f"Advice of {minutes} minutes", provided_by=(maple.sam,), duration=minutes
        )
        for minutes in (30, 45, 60)
    ]
    wishes = [
        {"service": service, "starts_at": monday(10, minute), "method": MeetingMethod.AT_LOCATION}
        for service in services
        for minute in (0, 15)
    ]

    answers = at_once([lambda wish=wish: maple.book(**wish) for wish in wishes])  # type: ignore[misc]

    assert Appointment.objects.busy().count() == 1
    assert all(len(taken.next_free) == 3 for taken in taken_among(answers))
    assert len(taken_among(answers)) == len(wishes) - 1


def test_of_a_crowd_that_wants_anyone_as_many_are_booked_as_there_are_people(maple: Maple) -> None:
    people = [maple.sam, make_member(maple.organization, "Kim"), make_member(maple.organization, "Lou")]
    for member in people[1:]:
        make_hours(member)
        ServiceAssignment.objects.create(service=maple.review, staff=member)

    def book() -> Appointment:
        return book_with_any_staff(
            organization=maple.organization,
            service=maple.review,
            people=list(people),
            client=maple.cleo,
            starts_at=monday(10),
            method=MeetingMethod.AT_LOCATION,
            actor=maple.sky,
            through=BookedThrough.CONTACT_CENTER,
        )

    answers = at_once([book] * 50)

    assert sorted(Appointment.objects.values_list("staff", flat=True)) == sorted(m.pk for m in people)
    assert [taken.next_free for taken in taken_among(answers)] == [
        [monday(10, 30), monday(10, 45), monday(11)]
    ] * 47


def test_the_database_refuses_what_the_checks_missed(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    blind(monkeypatch)
    make_appointment(maple.review, maple.sam, maple.cleo, monday(10))

    with pytest.raises(TimeTaken) as taken:
        maple.book(starts_at=monday(10, 15))

    assert taken.value.next_free == [monday(10, 30), monday(10, 45), monday(11)]
    assert Appointment.objects.count() == 1


def test_a_move_that_the_database_refuses_changes_nothing(
    maple: Maple, monkeypatch: pytest.MonkeyPatch
) -> None:
    appointment = maple.book()
    make_appointment(maple.review, maple.sam, maple.cleo, monday(14))
    blind(monkeypatch)

    with pytest.raises(TimeTaken):
        move_appointment(
            appointment, starts_at=monday(14, 15), actor=maple.sky, through=BookedThrough.SCHEDULE
        )

    appointment.refresh_from_db()
    assert (appointment.starts_at, appointment.events.count()) == (monday(10), 1)


def test_a_repeated_submit_in_parallel_is_one_appointment(maple: Maple) -> None:
    answers = at_once([lambda: maple.book(request_key="form-1")] * CROWD)

    assert {answer.pk for answer in answers} == {Appointment.objects.get().pk}


def test_a_form_that_adds_a_client_sent_many_times_at_once_adds_one_client(maple: Maple) -> None:
    ned = {"name": "Ned Ray", "email": "ned@example.com", "phone": ""}
    booking: dict[str, Any] = {
        "service": maple.review,
        "staff": maple.sam,
        "starts_at": monday(10),
        "method": MeetingMethod.AT_LOCATION,
        "actor": maple.sky,
        "through": BookedThrough.SCHEDULE,
        "request_key": "form-1",
    }

    answers = at_once([lambda: book_for(ned, organization=maple.organization, **booking)] * CROWD)

    assert {answer.pk for answer in answers} == {Appointment.objects.get().pk}
    assert Client.objects.filter(name="Ned Ray").count() == 1


def test_a_repeated_submit_in_parallel_with_different_staff_is_one_appointment(maple: Maple) -> None:
    kim = make_member(maple.organization, "Kim")
    make_hours(kim)
    ServiceAssignment.objects.create(service=maple.review, staff=kim)

    answers = at_once(
        [lambda staff=staff: maple.book(request_key="form-1", staff=staff) for staff in [maple.sam, kim] * 4]  # type: ignore[misc]
    )

    assert {answer.pk for answer in answers} == {Appointment.objects.get().pk}


def test_two_appointments_moved_to_one_time_do_not_both_get_it(maple: Maple) -> None:
    both = [maple.book(), maple.book(starts_at=monday(11))]

    def move(appointment: Appointment) -> Appointment:
        return move_appointment(
            appointment, starts_at=monday(14), actor=maple.sky, through=BookedThrough.SCHEDULE
        )

    answers = at_once([lambda appointment=appointment: move(appointment) for appointment in both])  # type: ignore[misc]

    assert len(taken_among(answers)) == 1
    assert Appointment.objects.filter(starts_at=monday(14)).count() == 1


def test_an_appointment_cancelled_by_many_is_cancelled_once(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)

    answers = at_once(
        [lambda: cancel_appointment(appointment, actor=None, through=BookedThrough.CLIENT_VIEW)] * 4
    )

    assert len([answer for answer in answers if isinstance(answer, BookingError)]) == 3
    assert appointment.events.count() == 2


def test_a_move_and_a_cancel_at_once_end_in_a_cancellation_or_an_error(maple: Maple) -> None:
    appointment = maple.book()

    at_once(
        [
            lambda: cancel_appointment(appointment, actor=None, through=BookedThrough.SCHEDULE),
            lambda: move_appointment(
                appointment, starts_at=monday(14), actor=None, through=BookedThrough.SCHEDULE
            ),
        ]
    )

    assert not Appointment.objects.busy().exists()


@pytest.mark.parametrize(("code", "error"), [("23P01", IntegrityError), ("40P01", OperationalError)])
def test_a_lost_race_is_retried_once(
    code: str, error: type[Exception], maple: Maple, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[validation.SlotRequest] = []

    def lose_once(wish: validation.SlotRequest) -> None:
        looks.append(wish)
        if len(looks) == 1:
            raise_in_database(code)

    monkeypatch.setattr(booking, "check_time", lose_once)

    appointment = maple.book()

    assert (appointment.starts_at, len(looks)) == (monday(10), 2)


def test_a_deadlock_twice_is_a_time_that_is_taken(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking, "check_time", lambda wish: raise_in_database("40P01"))

    with pytest.raises(TimeTaken):
        maple.book()


def test_other_faults_of_the_database_are_not_hidden(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking, "check_time", lambda wish: raise_in_database("23502"))

    with pytest.raises(IntegrityError):
        maple.book()


def raise_in_database(code: str) -> None:
    """Make PostgreSQL raise an error with this SQLSTATE."""
    with connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '{code}'; END $$")


def test_booking_waits_for_the_lock_on_the_staff_member(maple: Maple) -> None:
    """Check that booking waits for the lock that edits of hours and time off take."""
    with transaction.atomic():
        lock_staff(maple.sam)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(lambda: _book_impatiently(maple))
            assert answer.result() == "55P03"


def _book_impatiently(maple: Maple) -> str | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        maple.book()
    except OperationalError as error:
        return retry._sqlstate(error)
    finally:
        connection.close()
    return None
