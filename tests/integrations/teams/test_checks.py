"""The certificate is checked before Microsoft refuses it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from integrations.teams.checks import check_certificate


@pytest.fixture(autouse=True)
def configured(settings, certificate):
    settings.MICROSOFT_CLIENT_CERTIFICATE = str(certificate.path)


def ids() -> list[str | None]:
    return [message.id for message in check_certificate()]


def test_a_certificate_that_is_valid_for_long_is_fine():
    assert ids() == []


@pytest.mark.parametrize("days", [336, 366])
def test_one_that_ends_soon_or_has_ended_is_warned_of(days):
    with time_machine.travel(datetime.now(UTC) + timedelta(days=days)):
        assert ids() == ["coconut.W003"]


def test_a_file_without_a_certificate_is_an_error(certificate):
    certificate.path.write_text("nothing of the kind")

    assert ids() == ["coconut.E015"]


def test_no_certificate_is_nobodys_trouble(settings):
    settings.MICROSOFT_CLIENT_CERTIFICATE = ""

    assert ids() == []
