"""An appointment changes at the moment its email is claimed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from appointments.changes.move import move_appointment
from appointments.models import Audience, BookedThrough, Notification, NotificationKind
from staff.models import EmailState, OutboxEmail
from tests.appointments.conftest import Maple, monday

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("friday")]


def take_as_a_worker_does(mail: Notification, is_taken: Event) -> None:
    """Commit the claim only when another transaction waits for the row."""
    try:
        with transaction.atomic():
            OutboxEmail.objects.filter(pk=mail.email_id).update(state=EmailState.SENDING)
            is_taken.set()
            wait_until_somebody_is_blocked()
    finally:
        connection.close()


def wait_until_somebody_is_blocked() -> None:
    until = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
            if cursor.fetchone() != (0,):
                return
            time.sleep(0.01)
    raise AssertionError("Nobody asked for the row.")


def test_a_reader_of_a_move_email_that_is_being_sent_gets_the_move_back_too(maple: Maple) -> None:
    booked = maple.book()
    by_sky: dict[str, Any] = {"actor": maple.sky, "through": BookedThrough.SCHEDULE}
    OutboxEmail.objects.update(state=EmailState.SENT)
    move_appointment(booked, starts_at=monday(11), **by_sky)
    mail = booked.notifications.get(audience=Audience.CLIENT, kind=NotificationKind.MOVED)
    is_taken = Event()

    with ThreadPoolExecutor(1) as worker:
        taken = worker.submit(take_as_a_worker_does, mail, is_taken)
        is_taken.wait(10)
        move_appointment(booked, starts_at=monday(10), **by_sky)
        taken.result()

    to_client = booked.notifications.filter(audience=Audience.CLIENT, kind=NotificationKind.MOVED)
    states = to_client.order_by("sequence").values_list("email__state", flat=True)
    assert list(states) == [EmailState.SENDING, EmailState.WAITING]
