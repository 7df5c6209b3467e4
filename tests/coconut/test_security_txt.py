"""/.well-known/security.txt (RFC 9116)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client as Browser
from pytest_django import Settings

PATH = "/.well-known/security.txt"
NOW = datetime(2026, 11, 25, 12, 34, 56, tzinfo=UTC)


def fields(browser: Browser) -> list[tuple[str, str]]:
    lines = browser.get(PATH).text.splitlines()
    return [(name, value) for name, _, value in (line.partition(": ") for line in lines)]


def test_it_names_the_contacts_in_order(client: Browser, settings: Settings) -> None:
    settings.SECURITY_CONTACT = ["security@coconut.example", "https://coconut.example/report"]

    contacts = [value for name, value in fields(client) if name == "Contact"]

    assert contacts == ["mailto:security@coconut.example", "https://coconut.example/report"]


def test_it_expires_in_half_a_year(client: Browser, settings: Settings) -> None:
    settings.SECURITY_CONTACT = ["security@coconut.example"]

    with time_machine.travel(NOW, tick=False):
        (expires,) = [value for name, value in fields(client) if name == "Expires"]

    assert expires == "2027-05-24T00:00:00Z"
    # The RFC recommends less than a year.
    assert datetime.fromisoformat(expires) - NOW < timedelta(days=365)


def test_it_says_where_it_belongs(client: Browser, settings: Settings) -> None:
    settings.SECURITY_CONTACT = ["security@coconut.example"]

    answer = client.get(PATH)

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert ("Canonical", f"http://testserver{PATH}") in fields(client)


@pytest.mark.django_db
def test_without_a_contact_there_is_none(client: Browser, settings: Settings) -> None:
    settings.SECURITY_CONTACT = []

    assert client.get(PATH).status_code == 404


def test_the_operators_are_the_contact_unless_another_is_set(client: Browser) -> None:
    assert ("Contact", "mailto:olive@operator.example") in fields(client)
