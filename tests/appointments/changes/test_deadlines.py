"""Latest moments at which clients may move or cancel."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client as Browser

from appointments.booking_rules.errors import BookingError
from appointments.changes.move import move_appointment
from appointments.changes.status import cancel_appointment
from appointments.models import Appointment, BookedThrough, Status
from services.models import Service
from tests.appointments.conftest import Maple, monday
from tests.appointments.mailbox import cancel, move, part, sent_to
from tests.outbox import send_all

DAY = 24 * 60
TOO_LATE = monday(10) - timedelta(days=1) + timedelta(seconds=1)
JUST_IN_TIME = monday(10) - timedelta(days=1)

pytestmark = pytest.mark.usefixtures("friday")


@pytest.fixture(autouse=True)
def _no_counts() -> None:
    """Start each test with unused rate limits."""
    cache.clear()


def with_rules(maple: Maple, **rules: int) -> Appointment:
    """Book a review for Monday at ten under these rules of its service."""
    Service.objects.filter(pk=maple.review.pk).update(**rules)
    maple.review.refresh_from_db()
    return maple.book()


def page_of(appointment: Appointment, action: str = "") -> str:
    return " ".join(Browser().get(f"/appointments/{appointment.manage_token}/{action}").content.decode().split())


def test_clients_move_until_the_latest_moment(maple: Maple) -> None:
    appointment = with_rules(maple, move_notice=DAY)

    with time_machine.travel(JUST_IN_TIME, tick=False):
        assert move(appointment).starts_at == monday(14)


def test_clients_are_refused_a_move_after_the_latest_moment(maple: Maple) -> None:
    appointment = with_rules(maple, move_notice=DAY)

    with time_machine.travel(TOO_LATE, tick=False), pytest.raises(BookingError, match="too late to move"):
        move(appointment)

    appointment.refresh_from_db()
    assert appointment.starts_at == monday(10)


def test_clients_are_refused_a_cancellation_after_the_latest_moment(maple: Maple) -> None:
    appointment = with_rules(maple, cancel_notice=DAY)

    with time_machine.travel(TOO_LATE, tick=False), pytest.raises(BookingError, match="too late to cancel"):
        cancel(appointment)

    appointment.refresh_from_db()
    assert appointment.status == Status.CONFIRMED


def test_moving_and_cancelling_have_moments_of_their_own(maple: Maple) -> None:
    appointment = with_rules(maple, move_notice=DAY)

    with time_machine.travel(TOO_LATE, tick=False):
        assert cancel(appointment).status == Status.CANCELLED


def test_staff_move_and_cancel_after_the_latest_moment(maple: Maple) -> None:
    appointment = with_rules(maple, move_notice=DAY, cancel_notice=DAY)
    by_sky: dict[str, Any] = {"actor": maple.sky, "through": BookedThrough.SCHEDULE}

    with time_machine.travel(TOO_LATE, tick=False):
        moved = move_appointment(appointment, starts_at=monday(14), **by_sky)
        assert moved.starts_at == monday(14)
        assert cancel_appointment(moved, **by_sky).status == Status.CANCELLED


def test_without_rules_clients_change_until_the_start(maple: Maple) -> None:
    appointment = with_rules(maple)

    with time_machine.travel(monday(9, 59), tick=False):
        assert "You can move" not in page_of(appointment)
        assert move(appointment).starts_at == monday(14)


def test_the_page_says_until_when_on_the_clients_clock(maple: Maple) -> None:
    maple.cleo.time_zone = ZoneInfo("America/Toronto")
    maple.cleo.save()

    content = page_of(with_rules(maple, move_notice=DAY, cancel_notice=DAY))

    assert "You can move or cancel until Sun 29 November, 05:00 EST." in content


def test_the_page_names_two_moments_if_they_differ(maple: Maple) -> None:
    content = page_of(with_rules(maple, move_notice=60))

    assert "You can move until Mon 30 November, 09:00 UTC. You can cancel until it starts." in content


def test_after_the_moment_the_page_has_a_number_to_call(maple: Maple) -> None:
    maple.organization.phone = "+1 555 0199"
    maple.organization.save()
    appointment = with_rules(maple, move_notice=DAY, cancel_notice=DAY)

    with time_machine.travel(TOO_LATE, tick=False):
        content = page_of(appointment)

    assert "This appointment can no longer be moved or cancelled online. Please call Maple Credit Union" in content
    assert 'href="tel:+15550199"' in content
    assert "/cancel/" not in content


@pytest.mark.parametrize(("action", "field"), [("move/", "starts_at"), ("cancel/", "reason")])
def test_after_the_moment_the_forms_are_gone(action: str, field: str, maple: Maple) -> None:
    appointment = with_rules(maple, move_notice=DAY, cancel_notice=DAY)

    before = page_of(appointment, action)
    with time_machine.travel(TOO_LATE, tick=False):
        after = page_of(appointment, action)

    assert [f'name="{field}"' in content for content in (before, after)] == [True, False]
    assert "Please contact Maple Credit Union" in after


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_the_email_says_until_when_beside_the_link(kind: str, maple: Maple) -> None:
    with_rules(maple, move_notice=DAY, cancel_notice=DAY)
    send_all()

    words = "You can move or cancel until Sun 29 November, 10:00 UTC. After that, please call us."
    assert words in part(sent_to("cleo@example.com"), kind)


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_an_email_after_the_moment_asks_to_call(kind: str, maple: Maple) -> None:
    with_rules(maple, move_notice=7 * DAY, cancel_notice=7 * DAY)
    send_all()

    content = part(sent_to("cleo@example.com"), kind)
    assert "This appointment can no longer be moved or cancelled online." in content
    assert "Move or cancel your appointment" not in content
