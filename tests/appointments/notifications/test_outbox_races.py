"""An appointment changes at the moment its email is claimed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from smtplib import SMTPDataError
from threading import Event
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction
from django.db.models.functions import Now

from appointments.changes.move import move_appointment
from appointments.changes.status import cancel_appointment
from appointments.models import Audience, BookedThrough, Client, Notification, NotificationKind
from staff.models import EmailState, OutboxEmail
from tests.appointments.conftest import Maple, monday
from tests.outbox import retry_all, send_all

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("friday")]


def take_as_a_worker_does(notification: Notification, is_taken: Event) -> None:
    """Commit the claim only when another transaction waits for the row."""
    try:
        with transaction.atomic():
            OutboxEmail.objects.filter(pk=notification.email_id).update(state=EmailState.SENDING)
            is_taken.set()
            wait_until_a_transaction_is_blocked()
    finally:
        connection.close()


def wait_until_a_transaction_is_blocked() -> None:
    until = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
            if cursor.fetchone() != (0,):
                return
            time.sleep(0.01)
    raise AssertionError("No transaction waited for the row.")


def test_a_reader_of_a_move_email_that_is_being_sent_gets_the_move_back_too(maple: Maple) -> None:
    booked = maple.book()
    by_sky: dict[str, Any] = {"actor": maple.sky, "through": BookedThrough.SCHEDULE}
    OutboxEmail.objects.update(state=EmailState.SENT)
    move_appointment(booked, starts_at=monday(11), **by_sky)
    notification = booked.notifications.get(audience=Audience.CLIENT, kind=NotificationKind.MOVED)
    is_taken = Event()

    with ThreadPoolExecutor(1) as worker:
        taken = worker.submit(take_as_a_worker_does, notification, is_taken)
        is_taken.wait(10)
        move_appointment(booked, starts_at=monday(10), **by_sky)
        taken.result()

    to_client = booked.notifications.filter(audience=Audience.CLIENT, kind=NotificationKind.MOVED)
    states = to_client.order_by("sequence").values_list("email__state", flat=True)
    assert list(states) == [EmailState.SENDING, EmailState.WAITING]


@contextmanager
def refused_for_now() -> Iterator[None]:
    """Refuse each email with a temporary code."""

    def refuse(*args: object) -> None:
        raise SMTPDataError(451, b"Try again later.")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", refuse)
        yield


def kinds_sent_to(client: Client) -> list[str]:
    """Return the first words of the emails to the client, in the order in which they were sent."""
    return [message.subject.split(":")[0] for message in mail.outbox if message.to == [client.email]]


def test_a_retried_email_is_dropped_if_a_newer_one_replaces_it(maple: Maple) -> None:
    booked = maple.book()
    with refused_for_now():
        OutboxEmail.objects.update(state=EmailState.SENDING)
        cancel_appointment(booked, actor=maple.sky, through=BookedThrough.SCHEDULE)
        OutboxEmail.objects.update(state=EmailState.WAITING, due_at=Now())
        send_all()

    retry_all()

    assert kinds_sent_to(booked.client) == ["Appointment cancelled"]


def test_a_change_replaces_all_waiting_emails_to_the_same_reader(maple: Maple) -> None:
    by_sky: dict[str, Any] = {"actor": maple.sky, "through": BookedThrough.SCHEDULE}
    booked = maple.book()
    OutboxEmail.objects.update(state=EmailState.SENDING)
    move_appointment(booked, starts_at=monday(11), **by_sky)
    OutboxEmail.objects.update(state=EmailState.WAITING)

    move_appointment(booked, starts_at=monday(12), **by_sky)

    send_all()
    assert kinds_sent_to(booked.client) == ["Appointment confirmed"]
