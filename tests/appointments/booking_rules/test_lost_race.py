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
from appointments.booking_rules import lost_race, validation
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
        monkeypatch.setattr(module, "check_time", lambda booking: None)


def taken_among(results: list[Any]) -> list[TimeTaken]:
    return [result for result in results if isinstance(result, TimeTaken)]


def test_exactly_one_of_many_concurrent_bookings_gets_the_time(maple_with_teams: Maple) -> None:
    book = maple_with_teams.book
    results = at_once([lambda: book(method=MeetingMethod.VIDEO)] * 50)

    assert Appointment.objects.busy().count() == 1
    assert [taken.next_free for taken in taken_among(results)] == [[monday(10, 30), monday(10, 45), monday(11)]] * 49
    # The losers leave no meeting and no email.
    assert (Meeting.objects.count(), Notification.objects.count()) == (1, 2)


def test_overlapping_times_conflict(maple: Maple) -> None:
    starts = [monday(10, minute) for minute in (0, 5, 10, 15, 20, 25)]

    at_once([lambda start=start: maple.book(starts_at=start) for start in starts])  # type: ignore[misc]

    assert Appointment.objects.busy().count() == 1


def test_overlapping_times_of_different_lengths_conflict(maple: Maple) -> None:
    services = [
        make_service(maple.organization, f"Advice of {minutes} minutes", provided_by=(maple.sam,), duration=minutes)
        for minutes in (30, 45, 60)
    ]
    bookings = [
        {"service": service, "starts_at": monday(10, minute), "method": MeetingMethod.AT_LOCATION}
        for service in services
        for minute in (0, 15)
    ]

    results = at_once([lambda booking=booking: maple.book(**booking) for booking in bookings])  # type: ignore[misc]

    assert Appointment.objects.busy().count() == 1
    assert all(len(taken.next_free) == 3 for taken in taken_among(results))
    assert len(taken_among(results)) == len(bookings) - 1


def test_concurrent_bookings_with_any_staff_fill_each_staff_member_once(maple: Maple) -> None:
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

    results = at_once([book] * 50)

    assert sorted(Appointment.objects.values_list("staff", flat=True)) == sorted(m.pk for m in people)
    assert [taken.next_free for taken in taken_among(results)] == [[monday(10, 30), monday(10, 45), monday(11)]] * 47


def test_the_database_refuses_a_double_booking_that_the_checks_missed(
    maple: Maple, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind(monkeypatch)
    make_appointment(maple.review, maple.sam, maple.cleo, monday(10))

    with pytest.raises(TimeTaken) as taken:
        maple.book(starts_at=monday(10, 15))

    assert taken.value.next_free == [monday(10, 30), monday(10, 45), monday(11)]
    assert Appointment.objects.count() == 1


def test_a_move_that_the_database_refuses_changes_nothing(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    appointment = maple.book()
    make_appointment(maple.review, maple.sam, maple.cleo, monday(14))
    blind(monkeypatch)

    with pytest.raises(TimeTaken):
        move_appointment(appointment, starts_at=monday(14, 15), actor=maple.sky, through=BookedThrough.SCHEDULE)

    appointment.refresh_from_db()
    assert (appointment.starts_at, appointment.events.count()) == (monday(10), 1)


def test_a_repeated_submit_in_parallel_is_one_appointment(maple: Maple) -> None:
    results = at_once([lambda: maple.book(request_key="form-1")] * CROWD)

    assert {result.pk for result in results} == {Appointment.objects.get().pk}


def test_concurrent_submits_of_a_form_that_adds_a_client_add_one_client(maple: Maple) -> None:
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

    results = at_once([lambda: book_for(ned, organization=maple.organization, **booking)] * CROWD)

    assert {result.pk for result in results} == {Appointment.objects.get().pk}
    assert Client.objects.filter(name="Ned Ray").count() == 1


def test_a_repeated_submit_in_parallel_with_different_staff_is_one_appointment(maple: Maple) -> None:
    kim = make_member(maple.organization, "Kim")
    make_hours(kim)
    ServiceAssignment.objects.create(service=maple.review, staff=kim)

    results = at_once(
        [lambda staff=staff: maple.book(request_key="form-1", staff=staff) for staff in [maple.sam, kim] * 4]  # type: ignore[misc]
    )

    assert {result.pk for result in results} == {Appointment.objects.get().pk}


def test_only_one_of_two_appointments_moved_to_one_time_gets_it(maple: Maple) -> None:
    both = [maple.book(), maple.book(starts_at=monday(11))]

    def move(appointment: Appointment) -> Appointment:
        return move_appointment(appointment, starts_at=monday(14), actor=maple.sky, through=BookedThrough.SCHEDULE)

    results = at_once([lambda appointment=appointment: move(appointment) for appointment in both])  # type: ignore[misc]

    assert len(taken_among(results)) == 1
    assert Appointment.objects.filter(starts_at=monday(14)).count() == 1


def test_an_appointment_cancelled_concurrently_is_cancelled_once(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)

    results = at_once([lambda: cancel_appointment(appointment, actor=None, through=BookedThrough.CLIENT_VIEW)] * 4)

    assert len([result for result in results if isinstance(result, BookingError)]) == 3
    assert appointment.events.count() == 2


def test_a_move_and_a_cancel_at_once_end_in_a_cancellation_or_an_error(maple: Maple) -> None:
    appointment = maple.book()

    at_once(
        [
            lambda: cancel_appointment(appointment, actor=None, through=BookedThrough.SCHEDULE),
            lambda: move_appointment(appointment, starts_at=monday(14), actor=None, through=BookedThrough.SCHEDULE),
        ]
    )

    assert not Appointment.objects.busy().exists()


@pytest.mark.parametrize(("code", "error"), [("23P01", IntegrityError), ("40P01", OperationalError)])
def test_a_lost_race_is_retried_once(
    code: str, error: type[Exception], maple: Maple, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[validation.SlotRequest] = []

    def lose_once(booking: validation.SlotRequest) -> None:
        checks.append(booking)
        if len(checks) == 1:
            raise_in_database(code)

    monkeypatch.setattr(booking, "check_time", lose_once)

    appointment = maple.book()

    assert (appointment.starts_at, len(checks)) == (monday(10), 2)


def test_two_deadlocks_in_a_row_report_a_taken_time(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking, "check_time", lambda booking: raise_in_database("40P01"))

    with pytest.raises(TimeTaken):
        maple.book()


def test_other_database_errors_are_raised(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking, "check_time", lambda booking: raise_in_database("23502"))

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
            result = pool.submit(lambda: _book_impatiently(maple))
            assert result.result() == "55P03"


def _book_impatiently(maple: Maple) -> str | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        maple.book()
    except OperationalError as error:
        return lost_race._sqlstate(error)
    finally:
        connection.close()
    return None
