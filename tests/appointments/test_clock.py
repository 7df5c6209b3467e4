"""Times in the clock of the organisation: on public pages, in emails, on the schedule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from appointments.time_zones import clock_time, time_range
from services.models import MeetingMethod
from staff.clock import format_time, override_clock
from staff.models import Clock, Organization
from tests.appointments.conftest import NOW, Maple, monday
from tests.appointments.mailbox import part, sent_to
from tests.cast import signed_in
from tests.outbox import send_all

TORONTO = ZoneInfo("America/Toronto")


@pytest.fixture(autouse=True)
def friday() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def twelve(maple: Maple) -> Maple:
    Organization.objects.update(clock=Clock.HOURS_12, first_weekday=6)
    maple.organization.refresh_from_db()
    return maple


@pytest.mark.parametrize(
    ("at", "text"), [(time(0), "12:00 AM"), (time(9, 5), "9:05 AM"), (time(12), "12:00 PM"), (time(23, 59), "11:59 PM")]
)
def test_a_clock_of_12_hours(at: time, text: str) -> None:
    with override_clock(Clock.HOURS_12):
        assert format_time(at) == text


def test_the_clock_ends_with_its_block() -> None:
    with override_clock(Clock.HOURS_12):
        pass

    assert format_time(time(14, 30)) == "14:30"


def test_a_repeated_hour_keeps_its_abbreviation() -> None:
    with override_clock(Clock.HOURS_12):
        assert clock_time(datetime(2027, 11, 7, 1, 30, tzinfo=TORONTO, fold=1)) == "1:30 AM EST"


def test_a_range_of_12_hours_has_spaces() -> None:
    start, end = (datetime(2027, 7, 7, hour, tzinfo=TORONTO) for hour in (9, 13))

    with override_clock(Clock.HOURS_12):
        assert time_range(start, end) == "9:00 AM – 1:00 PM"


def test_the_client_view_follows_the_clock_and_the_first_weekday(twelve: Maple) -> None:
    choices = {"service": str(twelve.review.pk), "method": str(MeetingMethod.PHONE.value), "day": "2026-11-30"}

    page = Browser().get(reverse("book", args=["maple"]), choices)

    text = page.content.decode()
    assert "9:00 AM" in text
    assert "09:00" not in text
    assert page.context["month"].weekdays[0].weekday() == 6


def test_the_page_of_an_appointment_follows_the_clock(twelve: Maple) -> None:
    booked = twelve.book(starts_at=monday(13))

    text = Browser().get(reverse("manage-appointment", args=[booked.manage_token])).content.decode()

    assert "1:00 PM" in text
    assert "13:00" not in text


def test_emails_follow_the_clock(twelve: Maple) -> None:
    twelve.book(starts_at=monday(13))
    send_all()

    for reader in ("cleo@example.com", "sam@maple.example"):
        assert "1:00 PM – " in part(sent_to(reader), "text/plain")


def test_the_schedule_follows_the_clock_and_the_first_weekday(twelve: Maple) -> None:
    twelve.book(starts_at=monday(13))
    sky = signed_in(twelve.sky)

    week = sky.get(reverse("schedule"), {"view": "week", "date": "2026-11-30"})
    day = sky.get(reverse("schedule"), {"date": "2026-11-30"})

    assert "1:00 PM" in week.content.decode()
    assert week.context["shown"].first.isoformat() == "2026-11-29"
    assert day.context["calendar"]["hour12"] is True


def test_the_contact_center_follows_the_clock(twelve: Maple) -> None:
    choices = {"service": twelve.review.pk, "method": MeetingMethod.PHONE.value, "client": twelve.cleo.pk}

    text = signed_in(twelve.sky).get(reverse("contact-center"), choices).content.decode()

    assert '<span class="free-start">9:00 AM</span>' in text
