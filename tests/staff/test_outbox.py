"""The email outbox: at most once, retried only if certainly not accepted, one bad email fails alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from anymail.exceptions import AnymailAPIError
from django.core import mail
from django.core.mail import EmailMessage
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone, translation
from requests import Response

from staff import outbox
from staff.models import EmailState, Organization, OutboxEmail
from staff.outbox import KEEP_SENT, EmailKind, delete_sent, enqueue_email, send_again, send_waiting
from tests.outbox import email_server_down, retry_all, send_all

pytestmark = pytest.mark.django_db


def _render(email: OutboxEmail) -> EmailMessage | None:
    if email.params.get("dropped"):
        return None
    return EmailMessage(f"Hello {email.params['name']}", f"In {translation.get_language()}")


GREETING = EmailKind("greeting", _render)


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox.email_kinds, "_hooks", [GREETING])


def greet(name: str = "Sam", **params: Any) -> OutboxEmail:
    enqueue_email(GREETING, to=["sam@maple.example"], params={"name": name, **params})
    return OutboxEmail.objects.latest("pk")


def outcome(email: OutboxEmail) -> tuple[str, str]:
    email.refresh_from_db()
    return email.state, email.error


@pytest.mark.parametrize(
    ("state", "minutes", "expected"),
    [
        (EmailState.SENDING, 1, False),
        (EmailState.SENDING, 10, True),
        (EmailState.SENT, 10, False),
        (EmailState.FAILED, 10, False),
    ],
)
def test_an_email_is_uncertain_if_no_outcome_was_recorded(state: str, minutes: int, expected: bool) -> None:
    claimed_at = timezone.now() - timedelta(minutes=minutes)

    assert OutboxEmail(state=state, lease_until=claimed_at + outbox.LEASE).is_uncertain is expected


def test_an_email_is_rendered_when_it_is_sent() -> None:
    email = greet("Sam\r\nBcc: all@example.com")

    send_all()

    (message,) = mail.outbox
    assert (message.to, message.subject) == (["sam@maple.example"], "Hello Sam Bcc: all@example.com")
    assert outcome(email) == (EmailState.SENT, "")


def test_nothing_is_enqueued_without_an_address() -> None:
    enqueue_email(GREETING, to=[], params={"name": "nobody"})

    assert not OutboxEmail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_email_is_not_sent_if_the_change_is_rolled_back() -> None:
    with transaction.atomic():
        greet()
        transaction.set_rollback(True)

    send_all()

    assert mail.outbox == []


@pytest.mark.parametrize(("language", "expected"), [("", "In fr"), ("es", "In es")])
def test_an_email_is_in_its_language_or_in_that_of_the_organisation(language: str, expected: str) -> None:
    maple = Organization.objects.create(name="Maple", slug="maple", language="fr", time_zone="UTC")
    enqueue_email(GREETING, to=["sam@maple.example"], params={"name": "Sam"}, organization=maple)
    OutboxEmail.objects.update(language=language)

    send_all()

    assert mail.outbox[0].body == expected


def test_an_email_that_no_longer_applies_is_dropped() -> None:
    greet(dropped=True)

    send_all()

    assert (mail.outbox, OutboxEmail.objects.count()) == ([], 0)


@pytest.mark.parametrize("broken", [{"kind": "unknown"}, {"params": {}}])
def test_an_email_that_cannot_be_rendered_fails_alone(broken: dict[str, Any]) -> None:
    bad, good = greet(), greet()
    OutboxEmail.objects.filter(pk=bad.pk).update(**broken)

    send_all()

    assert outcome(bad)[0] == EmailState.FAILED
    assert outcome(good) == (EmailState.SENT, "")


@pytest.mark.parametrize("address", ['"a\x0bX:y"@victim.example', '"b\x0cfoo"@victim.example', "a\nb@victim.example"])
def test_an_email_whose_address_no_header_can_hold_fails_alone(address: str) -> None:
    bad, good = greet(), greet()
    OutboxEmail.objects.filter(pk=bad.pk).update(to=[address])

    send_all()

    assert outcome(bad)[0] == EmailState.FAILED
    assert outcome(good) == (EmailState.SENT, "")


def test_a_lost_database_while_an_email_is_sent_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = greet(), greet()

    def lose_database(message: EmailMessage) -> None:
        raise OperationalError

    monkeypatch.setattr(EmailMessage, "send", lose_database)
    with pytest.raises(OperationalError):
        send_waiting()

    assert (outcome(first)[0], outcome(second)[0]) == (EmailState.SENDING, EmailState.WAITING)


def test_emails_wait_while_the_server_is_down() -> None:
    first, second = greet("Sam"), greet("Sky")

    with email_server_down():
        tried = send_waiting()

    assert tried == 1
    assert outcome(first) == (EmailState.WAITING, "ConnectionRefusedError: [Errno 111] refused")
    assert outcome(second) == (EmailState.WAITING, "")
    assert (first.due_at > timezone.now(), first.lease_until) == (True, None)

    retry_all()

    assert [message.subject for message in mail.outbox] == ["Hello Sam", "Hello Sky"]
    assert outcome(first) == (EmailState.SENT, "")


def test_an_email_fails_if_the_server_stays_down_for_days() -> None:
    email = greet()
    OutboxEmail.objects.update(created_at=Now() - outbox.GIVE_UP_AFTER)

    with email_server_down():
        send_all()

    assert outcome(email)[0] == EmailState.FAILED


def provider_error(status: int) -> AnymailAPIError:
    response = Response()
    response.status_code = status
    return AnymailAPIError(status_code=status, response=response)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (SMTPRecipientsRefused({"sam@maple.example": (451, b"later")}), EmailState.WAITING),
        (SMTPRecipientsRefused({"sam@maple.example": (550, b"unknown")}), EmailState.FAILED),
        (SMTPDataError(452, b"full"), EmailState.WAITING),
        (SMTPDataError(554, b"spam"), EmailState.FAILED),
        # The server may have accepted the email before the connection broke.
        (SMTPServerDisconnected(), EmailState.FAILED),
        (TimeoutError(), EmailState.FAILED),
        # Responses of a provider's API.
        (provider_error(429), EmailState.WAITING),
        (provider_error(503), EmailState.WAITING),
        (provider_error(500), EmailState.FAILED),
    ],
)
def test_only_an_email_that_was_certainly_not_accepted_is_retried(
    error: Exception, state: EmailState, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = greet()

    def refuse(self: EmailMessage) -> int:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(EmailMessage, "send", refuse)
        send_all()
    outcome_of_first_attempt = outcome(email)[0]
    retry_all()

    assert outcome_of_first_attempt == state
    assert len(mail.outbox) == (1 if state == EmailState.WAITING else 0)


@pytest.mark.django_db(transaction=True)
def test_several_workers_send_each_email_once() -> None:
    names = [f"Sam {number}" for number in range(20)]
    for name in names:
        greet(name)

    def work(_worker: int) -> int:
        try:
            return send_waiting()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        tried = sum(workers.map(work, range(4)))

    assert tried == 20
    assert sorted(message.subject for message in mail.outbox) == sorted(f"Hello {name}" for name in names)


@pytest.mark.django_db(transaction=True)
def test_an_email_waits_if_the_database_is_lost_while_it_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_database(email: OutboxEmail) -> EmailMessage:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(outbox.email_kinds, "_hooks", [EmailKind("greeting", lose_database)])
    email = greet()

    send_all()

    assert outcome(email) == (EmailState.WAITING, "OperationalError: server closed the connection unexpectedly")


def test_an_email_that_is_sent_again_is_retried_for_as_long_as_a_new_one() -> None:
    email = greet()
    OutboxEmail.objects.update(state=EmailState.FAILED, created_at=Now() - timedelta(days=30))
    assert send_again(email)

    with email_server_down():
        send_all()

    assert outcome(email)[0] == EmailState.WAITING


def test_emails_sent_long_ago_are_deleted(maple) -> None:
    ages = {"old": KEEP_SENT + timedelta(days=1), "recent": KEEP_SENT - timedelta(days=1)}
    for kind, age in ages.items():
        OutboxEmail.objects.create(kind=kind, to=["a@example.com"], state=EmailState.SENT, sent_at=timezone.now() - age)

    assert delete_sent() == 1

    assert OutboxEmail.objects.get().kind == "recent"


@pytest.mark.parametrize("state", [EmailState.WAITING, EmailState.SENDING, EmailState.FAILED])
def test_an_email_that_was_never_sent_is_kept(maple, state) -> None:
    OutboxEmail.objects.create(kind="old", to=["a@example.com"], state=state)
    OutboxEmail.objects.update(created_at=timezone.now() - 2 * KEEP_SENT)

    assert delete_sent() == 0
