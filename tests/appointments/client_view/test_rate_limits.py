"""Limits of public bookings: strangers can't flood a mailbox, nor spend the limits of its owner."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.test import Client as Browser

from appointments.client_view import rate_limits
from appointments.client_view.mailboxes import mailbox_proof, proves_mailbox
from appointments.models import Appointment, Status
from coconut.rate_limits import Limit
from tests.appointments.conftest import NOW, Maple, monday
from tests.outbox import send_all

pytestmark = pytest.mark.usefixtures("friday")

VICTIM = "cleo@example.com"
BASE = "http://localhost:8000"
SLOTS = [monday(hour, minute) + timedelta(days=day) for day in range(3) for hour in range(9, 16) for minute in (0, 30)]


@pytest.fixture(autouse=True)
def _limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start each test with small, unused limits."""
    settings.BASE_URL = BASE
    cache.clear()
    monkeypatch.setattr(rate_limits, "_BOOKINGS_OF_VISITOR_AND_MAILBOX", Limit("test-pair", 2, 24 * 3600))
    monkeypatch.setattr(rate_limits, "_UNVERIFIED_BOOKINGS_OF_MAILBOX", Limit("test-mailbox", 5, 24 * 3600))
    monkeypatch.setattr(rate_limits, "_CHANGES_OF_MAILBOX", Limit("test-changes", 4, 24 * 3600))


def book(maple: Maple, slot: int, *, visitor: str = "192.0.2.1", email: str = VICTIM, proof: str = "") -> Any:
    """Fill in the form for a slot and press Book, at a network address."""
    query = {"service": maple.review.pk, "method": 1, "start": int(SLOTS[slot].timestamp()), "proof": proof}
    where, browser = f"/book/maple/?{urlencode(query)}", Browser(REMOTE_ADDR=visitor)
    token = browser.get(where).context["form"].token_to_send
    details = {"name": "Cleo Brandt", "email": email, "note": "By the window", "token": token}
    return browser.post(where, details, headers={"origin": BASE})


def flood(maple: Maple) -> list[int]:
    """Book with the victim's email from nine network addresses, twice each."""
    return [book(maple, slot, visitor=f"203.0.113.{slot // 2}").status_code for slot in range(18)]


def manage_page(appointment: Appointment, action: str = "") -> str:
    return f"/appointments/{appointment.manage_token}/{action}"


def test_many_visitors_can_make_a_few_bookings_a_day_for_a_mailbox(maple: Maple):
    assert flood(maple) == [303] * 5 + [429] * 13

    send_all()
    assert len([one for one in mail.outbox if one.to == [VICTIM]]) == 5


def test_tags_and_case_do_not_make_another_mailbox(maple: Maple):
    emails = [f"Cleo+{slot}@Example.com" for slot in range(6)]

    responses = [book(maple, slot, visitor=f"203.0.113.{slot}", email=email) for slot, email in enumerate(emails)]

    assert [response.status_code for response in responses] == [303] * 5 + [429]


def test_one_visitor_cannot_use_up_the_bookings_of_a_mailbox(maple: Maple):
    stranger = [book(maple, slot, visitor="203.0.113.1").status_code for slot in range(4)]

    assert stranger == [303, 303, 429, 429]
    assert book(maple, 10).status_code == 303


def test_after_a_flood_the_owner_of_the_mailbox_still_moves_and_cancels(maple: Maple):
    own = maple.book_online(starts_at=SLOTS[-1])
    flood(maple)

    moved = Browser().post(manage_page(own, "move/"), {"starts_at": SLOTS[-2].isoformat()})
    cancelled = Browser().post(manage_page(own, "cancel/"))

    own.refresh_from_db()
    assert [moved.status_code, cancelled.status_code] == [303, 303]
    assert (own.starts_at, own.status) == (SLOTS[-2], Status.CANCELLED)


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_after_a_flood_the_owner_of_the_mailbox_books_from_their_own_page(maple: Maple, is_cancelled: bool):
    own = maple.book_online(starts_at=SLOTS[-1])
    flood(maple)
    if is_cancelled:
        Browser().post(manage_page(own, "cancel/"))

    page = Browser().get(manage_page(own)).content.decode()
    [proof] = re.findall(r"[?&]proof=([^&\"]+)", unescape(page))

    assert book(maple, 20).status_code == 429
    assert book(maple, 20, proof=proof.replace("%3A", ":")).status_code == 303


def test_the_proof_stays_in_the_address_through_all_steps(maple: Maple):
    proof = mailbox_proof(VICTIM)
    steps = [{}, {"service": maple.review.pk}, {"service": maple.review.pk, "method": 1}]

    for query in steps:
        page = unescape(Browser().get(f"/book/maple/?{urlencode({**query, 'proof': proof})}").content.decode())
        onwards = re.findall(r'<a class="(?:offer|btn)" data-step href="(.*?)"', page)
        assert onwards
        assert all(urlencode({"proof": proof}) in address for address in onwards)
    assert f'name="proof" value="{proof}"' in page


def test_bookings_from_the_own_page_are_limited_too(maple: Maple):
    proof = mailbox_proof(VICTIM)

    assert [book(maple, slot, proof=proof).status_code for slot in range(5)] == [303] * 4 + [429]


@pytest.mark.parametrize("proof", ["", "x", ":1:x", "\0", mailbox_proof("stranger@example.com")])
def test_another_proof_is_none(maple: Maple, proof: str):
    assert [book(maple, slot, proof=proof).status_code for slot in range(3)] == [303, 303, 429]


def test_a_proof_is_for_one_mailbox_and_one_day():
    proof = mailbox_proof(VICTIM)

    assert [proves_mailbox(proof, email) for email in (VICTIM, "CLEO+a@example.com", "cleo@example.org")] == [
        True,
        True,
        False,
    ]
    assert "cleo" not in proof
    with time_machine.travel(NOW + timedelta(days=1, seconds=1), tick=False):
        assert not proves_mailbox(proof, VICTIM)


def test_the_page_after_a_booking_has_no_proof(maple: Maple):
    done = book(maple, 0)

    assert "proof=" not in Browser().get(done["Location"]).content.decode()


def test_a_refused_booking_says_how_to_go_on_and_keeps_the_input(maple: Maple):
    for slot in range(2):
        book(maple, slot)

    refused = book(maple, 2)

    content = refused.content.decode()
    assert "Too many appointments were booked with this email today." in content
    assert "open the link to your appointment and book another one there" in content
    assert ['value="Cleo Brandt"' in content, "By the window" in content] == [True, True]
    assert 0 < int(refused["Retry-After"]) <= 24 * 3600


def test_too_many_bookings_from_one_address_are_refused_in_other_words(maple: Maple, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rate_limits, "_BOOKINGS", Limit("test-bookings", 0, 3600))

    refused = book(maple, 0)

    assert refused.status_code == 429
    assert "Too many appointments were booked from here." in refused.content.decode()


def test_a_booking_that_the_limit_of_a_mailbox_refuses_does_not_count_for_the_visitor(
    maple: Maple, monkeypatch: pytest.MonkeyPatch
):
    flood(maple)
    monkeypatch.setattr(rate_limits, "_BOOKINGS", Limit("test-bookings", 1, 3600))

    refused, booked = book(maple, 19), book(maple, 20, email="zoe@example.com")

    assert [refused.status_code, booked.status_code] == [429, 303]


def test_a_booking_that_fails_is_not_counted(maple: Maple):
    maple.book_online(starts_at=SLOTS[0])

    failed = [book(maple, 0).status_code for _time in range(6)]

    assert failed == [200] * 6
    assert [book(maple, slot).status_code for slot in (1, 2, 3)] == [303, 303, 429]


def submit_again(maple: Maple, token: str, visitor: str, email: str) -> Any:
    """Send a form that was used for the first slot again."""
    query = {"service": maple.review.pk, "method": 1, "start": int(SLOTS[0].timestamp())}
    details = {"name": "Cleo Brandt", "email": email, "token": token}
    browser = Browser(REMOTE_ADDR=visitor)
    return browser.post(f"/book/maple/?{urlencode(query)}", details, headers={"origin": BASE})


@pytest.fixture
def used_form(maple: Maple) -> str:
    """The token of a form that a stranger has used to book with their own email."""
    query = {"service": maple.review.pk, "method": 1, "start": int(SLOTS[0].timestamp())}
    token = str(Browser().get(f"/book/maple/?{urlencode(query)}").context["form"].token_to_send)
    assert submit_again(maple, token, "203.0.113.1", "stranger@example.com").status_code == 303
    return token


def test_a_used_form_cannot_spend_the_bookings_of_another_mailbox(maple: Maple, used_form: str):
    repeated = [submit_again(maple, used_form, f"203.0.113.{number}", VICTIM) for number in range(8)]

    assert [response.status_code for response in repeated] == [200] * 8
    assert book(maple, 1).status_code == 303


def test_a_repeated_submit_leads_to_its_booking_and_is_not_counted(maple: Maple, used_form: str):
    repeated = [submit_again(maple, used_form, "203.0.113.1", "stranger@example.com") for _ in range(6)]

    assert [response.status_code for response in repeated] == [303] * 6
    assert Appointment.objects.count() == 1
