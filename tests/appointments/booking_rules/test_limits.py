"""Most bookings of a service per client, and per staff member and day."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments.availability.slots import free_slots
from appointments.booking.any_staff import book_with_any_staff
from appointments.booking_rules.errors import BookingError, ClientLimitReached, DayFull, TimeTaken
from appointments.changes.move import move_appointment
from appointments.clients import book_for
from appointments.models import Appointment, BookedThrough, Status
from services.models import MeetingMethod, Service
from staff.models import StaffMember, WorkingHours
from tests.appointments.booking_rules.test_lost_race import at_once
from tests.appointments.conftest import Maple, monday
from tests.appointments.views.test_client_view import BASE, send
from tests.factories import make_appointment, make_client, make_hours, make_service, make_staff

pytestmark = pytest.mark.usefixtures("friday")

TUESDAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _no_counts() -> None:
    """Start each test with unused rate limits."""
    cache.clear()


def limit(maple: Maple, **limits: int) -> None:
    Service.objects.filter(pk=maple.review.pk).update(**limits)
    maple.review.refresh_from_db()


# --- per client and day ----------------------------------------------------------------------------
def test_a_client_who_has_booked_as_often_as_allowed_that_day_is_refused(maple: Maple) -> None:
    limit(maple, most_per_client_and_day=1)
    maple.book_online()

    with pytest.raises(ClientLimitReached) as refused:
        maple.book_online(starts_at=monday(14))

    assert refused.value.sentence == "Sam Okafor is not free at Mon 30 Nov 2026, 14:00. Choose another time."
    assert maple.book_online(starts_at=monday(14) + TUESDAY).client == maple.cleo


def test_clients_count_by_email_address(maple: Maple) -> None:
    limit(maple, most_per_client_and_day=1)
    maple.book_online()
    married = make_client(maple.organization, "Cleo Winter", email="CLEO@example.com")

    with pytest.raises(ClientLimitReached):
        maple.book_online(client=married, starts_at=monday(14))


@pytest.mark.parametrize(
    "other", [{"client": "other"}, {"service": "other"}, {"through": BookedThrough.SCHEDULE}, {"status": "cancelled"}]
)
def test_other_bookings_do_not_count(other: dict[str, Any], maple: Maple) -> None:
    limit(maple, most_per_client_and_day=1, most_upcoming_per_client=1)
    client, service = (
        make_client(maple.organization, "Dora", email="dora@example.com"),
        make_service(maple.organization, "Loan", provided_by=(maple.sam,)),
    )
    make_appointment(
        service if "service" in other else maple.review,
        maple.sam,
        client if "client" in other else maple.cleo,
        monday(10),
        booked_through=other.get("through", BookedThrough.CLIENT_VIEW),
        status=other.get("status", Status.CONFIRMED),
    )

    assert maple.book_online(starts_at=monday(14)).starts_at == monday(14)


def test_staff_book_above_the_limits_of_clients(maple: Maple) -> None:
    limit(maple, most_per_client_and_day=1, most_upcoming_per_client=1)
    maple.book_online()

    assert maple.book(starts_at=monday(14)).starts_at == monday(14)


def test_the_day_is_one_of_the_staff_members_clock(maple: Maple) -> None:
    # 04:30 UTC on Tuesday is still Monday in Toronto.
    limit(maple, most_per_client_and_day=1)
    StaffMember.objects.filter(pk=maple.sam.pk).update(time_zone=ZoneInfo("America/Toronto"))
    maple.sam.refresh_from_db()
    WorkingHours.objects.all().delete()
    make_hours(maple.sam, end=time(23, 59))
    maple.book_online(starts_at=monday(15))

    with pytest.raises(ClientLimitReached):
        maple.book_online(starts_at=monday(4, 0) + TUESDAY)
    assert maple.book_online(starts_at=monday(15) + TUESDAY).staff == maple.sam


def test_a_move_to_a_day_at_the_limit_is_refused_like_a_taken_time(maple: Maple) -> None:
    limit(maple, most_per_client_and_day=1)
    maple.book_online()
    second = maple.book_online(starts_at=monday(10) + TUESDAY)
    move = partial(move_appointment, second, actor=None, through=BookedThrough.CLIENT_VIEW)

    with pytest.raises(TimeTaken, match="Sam Okafor is not free at Mon 30 Nov 2026, 14:00"):
        move(starts_at=monday(14))
    assert move(starts_at=monday(14) + TUESDAY).starts_at == monday(14) + TUESDAY


# --- upcoming per client ---------------------------------------------------------------------------
def test_a_client_with_as_many_upcoming_bookings_as_allowed_is_refused(maple: Maple) -> None:
    limit(maple, most_upcoming_per_client=2)
    maple.book_online()
    maple.book_online(starts_at=monday(10) + TUESDAY)

    with pytest.raises(ClientLimitReached):
        maple.book_online(starts_at=monday(10) + 2 * TUESDAY)


def test_past_bookings_do_not_count_as_upcoming(maple: Maple) -> None:
    limit(maple, most_upcoming_per_client=1)
    past = datetime(2026, 11, 20, 10, tzinfo=UTC)
    make_appointment(maple.review, maple.sam, maple.cleo, past, booked_through=BookedThrough.CLIENT_VIEW)

    assert maple.book_online().client == maple.cleo


# --- nothing is revealed ---------------------------------------------------------------------------
def test_the_page_answers_like_for_a_taken_time(maple: Maple, settings: Any) -> None:
    settings.BASE_URL = BASE
    limit(maple, most_per_client_and_day=1)
    maple.book_online(client=make_client(maple.organization, "Dora Winter", email="dora@example.com"))
    make_appointment(maple.review, maple.sam, maple.cleo, monday(14))

    by_limit = send(maple, start=int(monday(15).timestamp()))
    taken = send(maple, start=int(monday(14).timestamp()), name="Eve", email="eve@example.com")

    assert by_limit.status_code == taken.status_code == 200
    sentences = [page.context["form"].non_field_errors() for page in (by_limit, taken)]
    assert sentences == [
        [f"Nobody is free at Mon 30 Nov 2026, {clock}. Choose another time."] for clock in ("15:00", "14:00")
    ]
    assert [start.date().isoformat() for start in by_limit.context["form"].next_free] == ["2026-12-01"] * 6
    assert Appointment.objects.filter(client__email="dora@example.com").count() == 1


def test_a_known_and_an_unknown_address_take_the_same_queries(maple: Maple) -> None:
    limit(maple, most_per_client_and_day=1, most_upcoming_per_client=5)
    maple.book_online(starts_at=monday(14))
    numbers: list[int] = []
    for client in (maple.cleo, make_client(maple.organization, "Dora", email="dora@example.com")):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            maple.book_online(client=client, starts_at=monday(10 + len(numbers)) + TUESDAY)
        numbers.append(len(queries))

    assert numbers[0] == numbers[1]


def test_a_limit_is_not_tried_with_every_colleague(maple: Maple, tess: StaffMember) -> None:
    limit(maple, most_per_client_and_day=1)
    maple.book_online()

    with pytest.raises(ClientLimitReached, match="Nobody is free"):
        book_with_any_staff(
            organization=maple.organization,
            service=maple.review,
            people=[maple.sam, tess],
            client=maple.cleo,
            starts_at=monday(14),
            method=MeetingMethod.AT_LOCATION,
            actor=None,
            through=BookedThrough.CLIENT_VIEW,
        )


@pytest.mark.django_db(transaction=True)
def test_bookings_at_once_with_one_address_stay_within_the_limit(maple: Maple) -> None:
    limit(maple, most_per_client_and_day=1)
    booking: dict[str, Any] = {
        "organization": maple.organization,
        "service": maple.review,
        "staff": maple.sam,
        "method": MeetingMethod.AT_LOCATION,
        "actor": None,
        "through": BookedThrough.CLIENT_VIEW,
    }
    clients = [{"name": f"Dora {number}", "email": "dora@example.com"} for number in range(4)]

    at_once(
        [partial(book_for, client, starts_at=monday(10 + number), **booking) for number, client in enumerate(clients)]
    )

    assert Appointment.objects.count() == 1


# --- per staff member and day ----------------------------------------------------------------------
def test_a_full_day_is_not_offered(maple: Maple) -> None:
    limit(maple, most_per_person_and_day=1)
    maple.book()

    found = free_slots(maple.review, [maple.sam], monday(0), monday(0) + 2 * TUESDAY, for_clients=True)

    assert {datetime.fromtimestamp(start, UTC).date() for start in found[maple.sam.pk]} == {
        (monday(0) + TUESDAY).date()
    }


def test_an_appointment_that_moves_leaves_room_on_its_day(maple: Maple) -> None:
    limit(maple, most_per_person_and_day=1)
    booked = maple.book()

    found = free_slots(maple.review, [maple.sam], monday(0), monday(0) + TUESDAY, ignoring=booked)

    assert found[maple.sam.pk]


def test_full_days_take_one_query_for_any_number_of_people(maple: Maple) -> None:
    limit(maple, most_per_person_and_day=1)
    numbers = []
    for how_many in (1, 12):
        people = make_staff(maple.organization, how_many, time_zone=ZoneInfo("Asia/Kolkata"))
        people += make_staff(maple.organization, how_many)
        with CaptureQueriesContext(connection) as queries:
            free_slots(maple.review, people, monday(0), monday(0) + TUESDAY)
        numbers.append(len(queries))

    assert numbers[0] == numbers[1]


def test_clients_are_refused_a_full_day_like_a_taken_time(maple: Maple) -> None:
    limit(maple, most_per_person_and_day=1)
    maple.book()

    with pytest.raises(TimeTaken) as taken:
        maple.book_online(starts_at=monday(14))

    assert taken.value.sentence == "Sam Okafor is not free at Mon 30 Nov 2026, 14:00. Choose another time."
    assert taken.value.next_free[0] == monday(9) + TUESDAY


def test_staff_learn_that_the_day_is_full(maple: Maple) -> None:
    limit(maple, most_per_person_and_day=1)
    maple.book()

    with pytest.raises(DayFull) as refused:
        maple.book(starts_at=monday(14))

    assert refused.value.sentence == (
        "Sam Okafor has reached the limit of appointments for “Mortgage review” that day. Choose another day."
    )


def test_staff_may_book_above_the_limit_on_purpose(maple: Maple) -> None:
    limit(maple, most_per_person_and_day=1)
    maple.book()

    assert maple.book(starts_at=monday(14), outside_hours=True).starts_at == monday(14)


def test_anyone_is_someone_whose_day_is_not_full(maple: Maple, tess: StaffMember) -> None:
    limit(maple, most_per_person_and_day=1)
    maple.book()

    booked = book_with_any_staff(
        organization=maple.organization,
        service=maple.review,
        people=[maple.sam, tess],
        client=maple.cleo,
        starts_at=monday(14),
        method=MeetingMethod.AT_LOCATION,
        actor=maple.sky,
        through=BookedThrough.CONTACT_CENTER,
    )

    assert booked.staff == tess


@pytest.mark.django_db(transaction=True)
def test_bookings_at_once_for_one_person_stay_within_the_limit(maple: Maple) -> None:
    limit(maple, most_per_person_and_day=2)

    results = at_once([partial(maple.book, starts_at=monday(9 + number)) for number in range(5)])

    assert Appointment.objects.count() == 2
    assert sum(isinstance(result, DayFull) for result in results) == 3


def test_a_move_to_a_full_day_is_refused(maple: Maple) -> None:
    limit(maple, most_per_person_and_day=1)
    maple.book()
    second = maple.book(starts_at=monday(10) + TUESDAY)

    with pytest.raises(BookingError, match="reached the limit"):
        move_appointment(second, starts_at=monday(14), actor=maple.sky, through=BookedThrough.SCHEDULE)


def test_the_form_of_the_schedule_offers_to_book_above_the_limit(maple: Maple, as_sky: Any) -> None:
    limit(maple, most_per_person_and_day=1)
    maple.book()
    sent = {
        "request_key": "an-unguessable-key",
        "client": maple.cleo.pk,
        "service": maple.review.pk,
        "method": MeetingMethod.AT_LOCATION.value,
        "staff": maple.sam.pk,
        "date": "2026-11-30",
        "time": "14:00",
    }

    refused = as_sky.post(reverse("appointment-add"), sent)
    booked = as_sky.post(reverse("appointment-add"), {**sent, "outside_hours": "on"})

    assert "Book above the daily limit" in refused.content.decode()
    assert (booked.status_code, Appointment.objects.count()) == (303, 2)
