"""Sender, addresses for replies and headers of emails."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedEmail
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage

from staff import outbox
from staff.emails.sender import complete_message
from staff.models import Organization, OutboxEmail
from staff.outbox import EmailKind, enqueue_email
from tests.factories import make_organization
from tests.outbox import retry_all, send_all

pytestmark = pytest.mark.django_db

GREETING = EmailKind("greeting", lambda email: EmailMessage("Hello", "Good morning"))


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(outbox.email_kinds, "_hooks", [GREETING])
    settings.DEFAULT_FROM_EMAIL = "Coconut <no-reply@coconut.example>"


def sent(organization: Organization | None) -> ParsedEmail:
    enqueue_email(GREETING, to=["sam@maple.example"], organization=organization)
    send_all()
    return parsed(mail.outbox[-1])


def parsed(message: EmailMessage) -> ParsedEmail:
    return message_from_bytes(message.message().as_bytes(), policy=policy.default)


@pytest.mark.parametrize(
    "name", ["Maple Credit Union", 'Maple, "the" Bank <x>', "Büro für Geld", "بنك القيقب", "Maple 🍁", "Ж" * 50]
)
def test_emails_come_from_the_name_of_the_organisation(name: str) -> None:
    (sender,) = sent(make_organization(name))["From"].addresses

    assert (sender.display_name, sender.addr_spec) == (name, "no-reply@coconut.example")


def test_a_name_with_line_breaks_adds_no_header() -> None:
    message = sent(make_organization("Maple\r\nBcc: eve@evil.example\nX: 1\x07"))

    (sender,) = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Maple Bcc: eve@evil.example X: 1", "no-reply@coconut.example")
    assert (message["Bcc"], message["X"]) == (None, None)


def test_a_very_long_name_is_cut() -> None:
    (sender,) = sent(make_organization("Maple " * 33))["From"].addresses

    assert sender.display_name == ("Maple " * 17)[:100].strip()


def test_emails_to_operators_come_from_the_installation() -> None:
    assert sent(None)["From"] == "Coconut <no-reply@coconut.example>"


def test_an_organisation_with_its_own_domain_is_the_sender() -> None:
    message = sent(make_organization("Maple", sender_email="hello@maple.example"))

    assert message["From"] == "Maple <hello@maple.example>"
    assert message["Message-ID"].endswith("@maple.example>")


def test_replies_go_to_the_organisation() -> None:
    assert sent(make_organization("Maple", reply_to="office@maple.example"))["Reply-To"] == "office@maple.example"
    assert sent(make_organization("Oak"))["Reply-To"] is None


def test_bounces_go_to_the_bounce_address(settings: Any) -> None:
    settings.BOUNCE_ADDRESS = "bounces@coconut.example"

    message = sent(make_organization("Maple"))

    assert mail.outbox[-1].from_email == "bounces@coconut.example"
    assert message["From"] == "Maple <no-reply@coconut.example>"


def test_emails_say_that_a_program_wrote_them_and_have_no_list_headers() -> None:
    message = sent(make_organization("Maple"))

    assert message["Auto-Submitted"] == "auto-generated"
    assert [name for name in message if name.startswith("List-")] == []


def test_each_attempt_has_the_same_message_id() -> None:
    maple = make_organization("Maple")
    first = sent(maple)["Message-ID"]
    again = OutboxEmail.objects.get()
    OutboxEmail.objects.update(state="waiting")
    retry_all()

    assert parsed(mail.outbox[-1])["Message-ID"] == first
    assert sent(maple)["Message-ID"] != first
    assert complete_message(EmailMessage("Hello", ""), again).extra_headers["Message-ID"] == first
