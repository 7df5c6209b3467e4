"""Erasures at the same time as other changes, in threads against PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest
from django.db import connection, transaction

from appointments.booking_rules.errors import BookingError
from appointments.changes.client_details import save_client
from appointments.changes.status import undo_status
from appointments.models import Appointment, BookedThrough, Client, Status
from appointments.privacy.erasure import NotErasable, erase_client
from tests.appointments.booking_rules.test_lost_race import at_once
from tests.appointments.conftest import Maple, monday
from tests.appointments.notifications.test_outbox_races import wait_until_a_transaction_is_blocked
from tests.factories import make_appointment, make_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("friday")]


def erase(client: Client) -> Exception | None:
    """Erase the client, and return the error of an erasure that is refused."""
    try:
        erase_client(client, actor=None)
    except (NotErasable, Client.DoesNotExist) as refused:
        return refused
    return None


def test_a_client_is_booked_or_erased_and_never_both(maple: Maple) -> None:
    clients = [make_client(maple.organization, f"Client {number}") for number in range(6)]
    booking = [partial(maple.book, client=client, starts_at=monday(10 + n)) for n, client in enumerate(clients)]
    erasing = [partial(erase, client) for client in clients]

    results = at_once([call for pair in zip(booking, erasing, strict=True) for call in pair])

    for client, booked, erased in zip(clients, results[::2], results[1::2], strict=True):
        outcomes = (isinstance(booked, BookingError), isinstance(erased, NotErasable))
        assert outcomes in {(True, False), (False, True)}
        assert Client.objects.filter(pk=client.pk).exists() is Appointment.objects.filter(client=client).exists()


def test_a_booking_and_a_correction_of_the_email_wait_for_each_other(maple: Maple) -> None:
    """Both lock the client and the staff member. In another order, one of them would end in a deadlock."""
    maple.book(starts_at=monday(9))

    def correct(number: int) -> None:
        client = Client.objects.get(pk=maple.cleo.pk)
        client.email = f"cleo{number}@example.com"
        save_client(client, actor=maple.sky)

    booking = [partial(maple.book, starts_at=monday(10 + number)) for number in range(4)]
    at_once([*booking, *(partial(correct, number) for number in range(4))])

    assert Appointment.objects.count() == 5


def test_concurrent_erasures_of_one_client_succeed_once(maple: Maple) -> None:
    results = at_once([partial(erase, maple.cleo)] * 4)

    assert sum(isinstance(result, Client.DoesNotExist) for result in results) == 3


def confirm_again(no_show: Appointment, maple: Maple, is_changed: Event) -> None:
    """Undo a no-show. Commit only when another transaction waits for one of the changed rows."""
    try:
        with transaction.atomic():
            undo_status(no_show, actor=maple.sky, through=BookedThrough.SCHEDULE)
            is_changed.set()
            wait_until_a_transaction_is_blocked()
    finally:
        connection.close()


def test_a_client_whose_appointment_becomes_upcoming_at_the_same_moment_is_not_erased(maple: Maple) -> None:
    no_show = make_appointment(maple.review, maple.sam, maple.cleo, monday(10), status=Status.NO_SHOW)
    is_changed = Event()

    with ThreadPoolExecutor(1) as colleague:
        changed = colleague.submit(confirm_again, no_show, maple, is_changed)
        is_changed.wait(10)
        refused = erase(maple.cleo)
        changed.result()

    assert isinstance(refused, NotErasable)
    assert Client.objects.filter(pk=maple.cleo.pk).exists()
