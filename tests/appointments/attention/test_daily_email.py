"""Daily email about appointments that need attention."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from appointments.attention.daily_email import ATTENTION_EMAIL, email_attention
from staff.models import OutboxEmail, StaffMember
from tests.appointments.conftest import NOW, Maple, monday
from tests.factories import make_appointment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]


def orphan(maple: Maple, how_many: int = 1) -> None:
    for number in range(how_many):
        make_appointment(maple.review, maple.sam, maple.cleo, monday(9) + timedelta(hours=number))
    maple.sam.is_active = False
    maple.sam.save()


def emails() -> list[OutboxEmail]:
    return list(OutboxEmail.objects.filter(kind=ATTENTION_EMAIL.name).order_by("pk"))


def test_admins_and_schedulers_get_it(maple: Maple, ada: StaffMember) -> None:
    orphan(maple)

    email_attention()

    assert [email.to for email in emails()] == [[maple.sky.email], [ada.email]]


def test_it_has_the_number_the_first_ones_and_a_link(maple: Maple) -> None:
    orphan(maple, 12)
    email_attention()

    message = ATTENTION_EMAIL.render(emails()[0])

    assert message is not None
    assert message.subject == "12 appointments need attention"
    assert "Mon 30 Nov 2026, 09:00, Cleo Brandt, Mortgage review\nSam Okafor left." in message.body
    assert "and 2 more." in message.body
    assert "/schedule/attention/" in message.body


def test_it_is_sent_once_a_day(maple: Maple) -> None:
    orphan(maple)

    email_attention()
    email_attention()
    assert len(emails()) == 1

    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        email_attention()
    assert len(emails()) == 2


def test_it_waits_for_the_morning_of_the_organisation(maple: Maple) -> None:
    maple.organization.time_zone = ZoneInfo("Pacific/Honolulu")
    maple.organization.save()
    orphan(maple)

    # Two o'clock in Honolulu.
    email_attention()
    assert emails() == []

    with time_machine.travel(NOW + timedelta(hours=5), tick=False):
        email_attention()
    assert len(emails()) == 1


def test_without_such_appointments_there_is_none(maple: Maple) -> None:
    maple.book()

    email_attention()

    assert emails() == []


def test_it_is_not_sent_if_everything_is_settled_meanwhile(maple: Maple) -> None:
    orphan(maple)
    email_attention()
    StaffMember.objects.update(is_active=True)

    assert ATTENTION_EMAIL.render(emails()[0]) is None
