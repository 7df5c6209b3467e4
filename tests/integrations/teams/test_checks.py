"""System checks of the certificate."""

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


def test_a_certificate_with_months_left_passes():
    assert ids() == []


@pytest.mark.parametrize("days", [336, 366])
def test_a_certificate_that_expires_soon_or_has_expired_is_a_warning(days):
    with time_machine.travel(datetime.now(UTC) + timedelta(days=days)):
        assert ids() == ["coconut.W003"]


def test_a_file_without_a_certificate_is_an_error(certificate):
    certificate.path.write_text("nothing of the kind")

    assert ids() == ["coconut.E015"]


def test_without_a_certificate_the_check_passes(settings):
    settings.MICROSOFT_CLIENT_CERTIFICATE = ""

    assert ids() == []
