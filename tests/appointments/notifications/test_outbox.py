"""Recipients, waiting emails, and emails that cannot be sent."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.db.models.functions import Now

from appointments.models import Audience, Notification
from appointments.models import NotificationKind as Kind
from staff import outbox as staff_outbox
from staff.models import EmailState as State
from staff.models import OutboxEmail
from staff.outbox import send_again, send_waiting
from tests.appointments.conftest import Maple
from tests.appointments.mailbox import cancel, move
from tests.factories import make_client
from tests.outbox import send_all

pytestmark = pytest.mark.usefixtures("friday")


def outbox(audience: Audience = Audience.CLIENT) -> list[tuple[str, int, str]]:
    rows = Notification.objects.filter(audience=audience).order_by("sequence")
    return [(row.kind, row.sequence, row.email.state) for row in rows.select_related("email")]


def test_a_booking_emails_the_client_and_the_staff_member(maple: Maple) -> None:
    maple.book()

    rows = Notification.objects.order_by("audience")
    assert list(rows.values_list("audience", "email__to", "kind", "email__state")) == [
        (Audience.CLIENT, ["cleo@example.com"], Kind.BOOKED, State.WAITING),
        (Audience.STAFF, ["sam@maple.example"], Kind.BOOKED, State.WAITING),
    ]


def test_a_client_without_an_address_gets_no_email(maple: Maple) -> None:
    maple.book(client=make_client(maple.organization, "Ned", email=""))

    assert Notification.objects.get().audience == Audience.STAFF


def test_a_client_who_is_the_staff_member_gets_both_emails(maple: Maple) -> None:
    maple.book(client=make_client(maple.organization, "Sam", email=maple.sam.email))

    assert Notification.objects.filter(email__to=[maple.sam.email]).count() == 2


def test_every_change_has_a_greater_sequence(maple: Maple) -> None:
    appointment = maple.book()
    send_all()
    move(appointment)
    send_all()
    cancel(appointment)

    assert outbox() == [
        (Kind.BOOKED, 0, State.SENT),
        (Kind.MOVED, 1, State.SENT),
        (Kind.CANCELLED, 2, State.WAITING),
    ]


def test_an_unsent_booking_email_shows_the_current_state(maple: Maple) -> None:
    move(maple.book())

    assert outbox() == [(Kind.BOOKED, 1, State.WAITING)]


def test_an_unsent_move_is_dropped_after_a_cancellation(maple: Maple) -> None:
    cancel(move(maple.book()))

    assert outbox() == [(Kind.CANCELLED, 2, State.WAITING)]


def test_each_waiting_email_is_sent_once(maple: Maple) -> None:
    maple.book()

    assert [send_waiting(), send_waiting()] == [2, 0]
    assert sorted(one.to[0] for one in mail.outbox) == ["cleo@example.com", "sam@maple.example"]
    assert OutboxEmail.objects.filter(state=State.SENT, sent_at__isnull=False).count() == 2


def test_a_crash_while_sending_keeps_the_row_and_sends_nothing_twice(
    maple: Maple, monkeypatch: pytest.MonkeyPatch
) -> None:
    maple.book()
    with monkeypatch.context() as patched:
        patched.setattr(EmailMultiAlternatives, "send", crash)
        with pytest.raises(KeyboardInterrupt):
            send_waiting()

    send_waiting()

    assert sorted(OutboxEmail.objects.values_list("state", flat=True)) == [State.SENDING, State.SENT]
    assert OutboxEmail.objects.get(state=State.SENDING).lease_until is not None
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_an_email_requeued_while_the_server_hangs_stays_queued(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    maple.book()
    asked: list[bool] = []

    def hang(self: EmailMultiAlternatives) -> int:
        sending = OutboxEmail.objects.filter(state=State.SENDING)
        sending.update(lease_until=Now() - timedelta(seconds=1))
        asked.append(send_again(sending.get()))
        return 1

    with monkeypatch.context() as patched:
        patched.setattr(EmailMultiAlternatives, "send", hang)
        patched.setattr(staff_outbox, "RUN_SECONDS", 0.001)
        send_waiting()

    assert asked == [True]
    assert set(OutboxEmail.objects.values_list("state", flat=True)) == {State.WAITING}


def crash(self: EmailMultiAlternatives) -> int:
    raise KeyboardInterrupt


@pytest.mark.django_db(transaction=True)
def test_a_row_is_committed_as_sending_before_smtp_starts(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    maple.book()
    seen: list[tuple[bool, list[str]]] = []

    def look(self: EmailMultiAlternatives) -> int:
        states = OutboxEmail.objects.filter(to=self.to).values_list("state", flat=True)
        seen.append((connection.in_atomic_block, list(states)))
        return 1

    monkeypatch.setattr(EmailMultiAlternatives, "send", look)
    send_waiting()

    assert seen == [(False, [State.SENDING])] * 2


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(111, "refused"), "ConnectionRefusedError: [Errno 111] refused"),
        (
            SMTPRecipientsRefused({"cleo@example.com": (550, b"unknown")}),
            "SMTPRecipientsRefused: {'cleo@example.com': (550, b'unknown')}",
        ),
    ],
)
def test_a_refusal_by_the_email_server_is_stored_with_its_reason(
    error: Exception, reason: str, maple: Maple, monkeypatch: pytest.MonkeyPatch
) -> None:
    maple.book()

    def refuse(self: EmailMultiAlternatives) -> int:
        raise error

    monkeypatch.setattr(EmailMultiAlternatives, "send", refuse)
    send_waiting()

    assert set(OutboxEmail.objects.values_list("state", "error")) == {(State.FAILED, reason)}


def test_booking_does_not_wait_for_the_email_server(maple: Maple) -> None:
    maple.book()

    assert mail.outbox == []


def test_sending_stops_well_before_the_task_is_killed(settings: Any) -> None:
    slowest_mail = settings.EMAIL_TIMEOUT * 3
    assert staff_outbox.RUN_SECONDS + slowest_mail < settings.CELERY_TASK_TIME_LIMIT
