"""Emails to operators before the client secret or the certificate expires, once for each threshold."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.db import connection as database

from integrations.teams import tasks
from integrations.teams.checks import check_certificate, check_secret_expiry_date
from integrations.teams.entra import credential_expiry
from integrations.teams.models import ExpiryWarning
from tests.outbox import email_server_down, retry_all, send_all

pytestmark = pytest.mark.django_db

LAST_DAY = date(2027, 5, 31)


@pytest.fixture(autouse=True)
def configured(settings) -> None:
    settings.MICROSOFT_CLIENT_SECRET_EXPIRES = LAST_DAY.isoformat()


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2027, 1, 1, 12, tzinfo=UTC), tick=False) as clock:
        yield clock


def warn_and_send() -> None:
    tasks.warn_of_expiry()
    send_all()


def go_to(clock, days_left: int) -> None:
    """Set the clock to noon of the day with `days_left` days left."""
    noon = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, 12, tzinfo=UTC)
    clock.move_to(noon - timedelta(days=days_left), tick=False)


def subjects(mailoutbox) -> list[str]:
    return [mail.subject for mail in mailoutbox]


def told(clock, mailoutbox, days: list[int]) -> list[str]:
    """Run the check on these days. Return the subjects of all emails."""
    for days_left in days:
        go_to(clock, days_left)
        warn_and_send()
    return subjects(mailoutbox)


def test_an_email_is_sent_at_each_threshold_and_after_the_expiry(clock, mailoutbox):
    found = told(clock, mailoutbox, list(range(40, -20, -1)))

    assert found == [
        "[Coconut] Microsoft's client secret expires in 30 days",
        "[Coconut] Microsoft's client secret expires in 14 days",
        "[Coconut] Microsoft's client secret expires in 7 days",
        "[Coconut] Microsoft's client secret expires in 1 day",
        "[Coconut] Microsoft's client secret has expired",
    ]


def test_the_email_says_when_and_what_to_do(clock, mailoutbox, settings):
    told(clock, mailoutbox, [14])

    (mail,) = mailoutbox
    assert mail.to == ["olive@operator.example"]
    assert mail.body.startswith("Microsoft's client secret expires in 14 days. Its last day is 31 May 2027.")
    assert settings.MICROSOFT_CLIENT_ID in mail.body
    assert "Make a new secret in the app registration and set MICROSOFT_CLIENT_SECRET." in mail.body


@pytest.mark.parametrize(
    ("looked", "said"),
    [
        ([30, 10], ["30 days", "10 days"]),
        ([5], ["5 days"]),
        ([5, 4, 1], ["5 days", "1 day"]),
        ([0], ["within a day"]),
    ],
)
def test_a_threshold_passed_between_two_checks_sends_an_email(clock, mailoutbox, looked, said):
    found = told(clock, mailoutbox, looked)

    assert [subject.removeprefix("[Coconut] Microsoft's client secret expires ") for subject in found] == [
        words if words.startswith("within") else f"in {words}" for words in said
    ]


def test_the_first_check_after_the_expiry_sends_an_email(clock, mailoutbox):
    found = told(clock, mailoutbox, [-100, -101])

    assert found == ["[Coconut] Microsoft's client secret has expired"]


def test_repeated_checks_send_one_email(clock, mailoutbox):
    assert len(told(clock, mailoutbox, [14] * 5)) == 1


def test_a_new_secret_has_its_own_warnings(clock, mailoutbox, settings):
    told(clock, mailoutbox, [1])
    settings.MICROSOFT_CLIENT_SECRET_EXPIRES = "2028-05-31"
    clock.move_to(datetime(2028, 5, 30, 12, tzinfo=UTC), tick=False)

    warn_and_send()

    assert len(mailoutbox) == 2


def test_an_email_waits_for_the_email_server_and_then_has_the_present_number_of_days(clock, mailoutbox):
    with email_server_down():
        told(clock, mailoutbox, [7])
    go_to(clock, 6)

    retry_all()

    assert subjects(mailoutbox) == ["[Coconut] Microsoft's client secret expires in 6 days"]


def test_a_new_secret_drops_the_email_about_the_old_one(clock, mailoutbox, settings):
    with email_server_down():
        told(clock, mailoutbox, [7])
    settings.MICROSOFT_CLIENT_SECRET_EXPIRES = "2028-05-31"

    retry_all()

    assert mailoutbox == []


def test_without_operators_the_warning_is_not_marked_as_sent(clock, mailoutbox, settings):
    settings.ADMINS, operators = [], settings.ADMINS
    told(clock, mailoutbox, [7])
    settings.ADMINS = operators

    found = told(clock, mailoutbox, [7])

    assert found == ["[Coconut] Microsoft's client secret expires in 7 days"]


@pytest.mark.parametrize("value", ["", "31.05.2027", "2027-02-30", "\x00"])
def test_an_unknown_date_sends_no_email(clock, mailoutbox, settings, value):
    settings.MICROSOFT_CLIENT_SECRET_EXPIRES = value

    assert told(clock, mailoutbox, [1]) == []


def test_the_expiry_of_a_certificate_is_read_from_it(clock, mailoutbox, settings, certificate):
    settings.MICROSOFT_CLIENT_CERTIFICATE = str(certificate.path)
    clock.move_to(credential_expiry.certificate_expiry(certificate.pem).ends - timedelta(days=7), tick=False)

    warn_and_send()

    assert subjects(mailoutbox) == ["[Coconut] Microsoft's certificate expires in 7 days"]


def test_with_a_certificate_the_secret_is_ignored(clock, mailoutbox, settings, certificate):
    settings.MICROSOFT_CLIENT_CERTIFICATE = str(certificate.path)
    settings.MICROSOFT_CLIENT_SECRET_EXPIRES = "2026-01-01"
    clock.move_to(credential_expiry.certificate_expiry(certificate.pem).ends - timedelta(days=100), tick=False)

    warn_and_send()

    assert mailoutbox == []


def test_a_certificate_that_cannot_be_read_does_not_break_the_task(clock, mailoutbox, settings, tmp_path):
    settings.MICROSOFT_CLIENT_CERTIFICATE = str(tmp_path / "nowhere.pem")

    warn_and_send()

    assert mailoutbox == []


@pytest.mark.parametrize("days_left", [31, 30, 1, 0, -1])
def test_the_system_check_counts_days_as_the_email_does(clock, mailoutbox, days_left):
    go_to(clock, days_left)
    warn_and_send()

    said = [message.msg.rstrip(".") for message in check_secret_expiry_date()]

    assert said == [subject.removeprefix("[Coconut] ") for subject in subjects(mailoutbox)]


def test_the_check_of_a_certificate_counts_days_as_the_email_does(clock, mailoutbox, settings, certificate):
    settings.MICROSOFT_CLIENT_CERTIFICATE = str(certificate.path)
    clock.move_to(credential_expiry.certificate_expiry(certificate.pem).ends - timedelta(hours=36), tick=False)
    warn_and_send()

    said = [message.msg.rstrip(".") for message in check_certificate()]

    assert said == [subject.removeprefix("[Coconut] ") for subject in subjects(mailoutbox)]
    assert said == ["Microsoft's certificate expires in 1 day"]


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_send_one_email(clock, mailoutbox):
    go_to(clock, 14)
    together = Barrier(4)

    def look() -> None:
        together.wait()
        tasks.warn_of_expiry()
        database.close()

    workers = [Thread(target=look) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    send_all()

    assert subjects(mailoutbox) == ["[Coconut] Microsoft's client secret expires in 14 days"]
    assert ExpiryWarning.objects.count() == 1
