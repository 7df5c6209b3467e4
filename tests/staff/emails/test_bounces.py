"""Bounces and complaints reported by an email provider, and the checks of its settings."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.test import Client as Browser

from coconut.email_providers import provider_problems
from staff import outbox
from staff.models import Bounce, OutboxEmail
from staff.outbox import EmailKind, enqueue_email
from tests.factories import make_organization
from tests.outbox import send_all

pytestmark = pytest.mark.django_db

SECRET = "postmark:a-secret-of-many-letters"
READER = "Cleo@example.com"


@pytest.fixture(autouse=True)
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox.email_kinds, "_hooks", [EmailKind("greeting", lambda _email: EmailMessage("Hello"))])
    settings.EMAIL_PROVIDER, settings.EMAIL_WEBHOOK_SECRET = "postmark", SECRET
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}


@pytest.fixture
def email() -> OutboxEmail:
    enqueue_email(outbox.EmailKind("greeting", lambda _email: None), to=[READER], organization=make_organization())
    send_all()
    return OutboxEmail.objects.get()


def report(body: Any, secret: str = SECRET) -> HttpResponse:
    credentials = f"Basic {b64encode(secret.encode()).decode()}"
    browser = Browser(enforce_csrf_checks=True)
    return browser.post(  # type: ignore[return-value]
        "/email-events/", json.dumps(body), content_type="application/json", headers={"authorization": credentials}
    )


def bounce_of(email: OutboxEmail, kind: str = "HardBounce", to: str = READER) -> dict[str, Any]:
    record = "SpamComplaint" if kind == "SpamComplaint" else "Bounce"
    return {
        "RecordType": record,
        "Type": kind,
        "Email": to,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "BouncedAt": "2026-11-27T12:00:00Z",
        "Metadata": {"email": str(email.pk)},
    }


@pytest.mark.parametrize(
    ("kind", "bounce"), [("HardBounce", Bounce.BOUNCED), ("SpamComplaint", Bounce.COMPLAINED), ("AutoResponder", "")]
)
def test_a_bounce_or_complaint_is_stored_with_its_email(email: OutboxEmail, kind: str, bounce: str) -> None:
    assert report(bounce_of(email, kind, READER.lower())).status_code == 200

    email.refresh_from_db()
    assert (email.bounce, email.bounced_at is not None) == (bounce, bool(bounce))


def test_a_report_without_the_secret_is_refused(email: OutboxEmail) -> None:
    assert report(bounce_of(email), "postmark:another-secret-of-letters").status_code == 400
    assert OutboxEmail.objects.get().bounce == ""


@pytest.mark.parametrize("number", ["", "0", "9" * 40, "²", "1 OR 1=1", "-1"])
def test_a_report_about_another_email_or_address_changes_nothing(email: OutboxEmail, number: str) -> None:
    body = bounce_of(email)
    reports = [{**body, "Metadata": {"email": number}}, {**body, "Metadata": {}}, bounce_of(email, to="x@example.com")]

    assert [report(each).status_code for each in reports] == [200, 200, 200]
    assert OutboxEmail.objects.get().bounce == ""


def test_a_huge_report_is_refused_unread(email: OutboxEmail) -> None:
    assert report({**bounce_of(email), "Content": "x" * 1024 * 1024}).status_code == 413


def test_without_a_provider_reports_are_refused(email: OutboxEmail, settings: Any) -> None:
    settings.EMAIL_PROVIDER = ""

    assert report(bounce_of(email)).status_code == 403


@pytest.mark.parametrize(
    ("name", "values", "secret", "sentence"),
    [
        ("pigeon", {}, SECRET, "EMAIL_PROVIDER is unknown: 'pigeon'."),
        ("postmark", {}, SECRET, "EMAIL_PROVIDER_SETTINGS has no POSTMARK_SERVER_TOKEN."),
        ("postmark", {"POSTMARK_SERVER_TOKEN": "x"}, "", "EMAIL_WEBHOOK_SECRET must be user:password"),
        ("postmark", {"POSTMARK_SERVER_TOKEN": "x"}, "x" * 40, "EMAIL_WEBHOOK_SECRET must be user:password"),
    ],
)
def test_wrong_settings_of_a_provider_are_named(name: str, values: dict[str, str], secret: str, sentence: str) -> None:
    (problem,) = provider_problems(name, values, secret)

    assert problem.startswith(sentence)


def test_a_provider_with_its_settings_and_smtp_have_no_problem() -> None:
    assert provider_problems("postmark", {"POSTMARK_SERVER_TOKEN": "x"}, SECRET) == []
    assert provider_problems("", {}, "") == []
