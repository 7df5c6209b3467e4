"""Text of a service in the client's confirmation."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser

from services.models import Service
from tests.appointments.conftest import Maple
from tests.appointments.mailbox import cancel, event_of, part, sent_to
from tests.appointments.views.test_client_view import BASE, send, text_of, visit
from tests.outbox import send_all

TEXT = "Bring two pieces of <b>identification</b>.\nThe entrance is on Queen Street."
ESCAPED = "Bring two pieces of &lt;b&gt;identification&lt;/b&gt;."

pytestmark = pytest.mark.usefixtures("friday")


@pytest.fixture(autouse=True)
def _text(maple: Maple, settings: Any) -> None:
    settings.BASE_URL = BASE
    cache.clear()
    Service.objects.update(confirmation_text=TEXT)
    maple.review.refresh_from_db()


def test_the_confirmation_page_shows_it_as_plain_text(maple: Maple) -> None:
    page = text_of(visit(send(maple)["Location"]))

    assert f"{ESCAPED}<br>The entrance is on Queen Street." in page


def test_the_clients_own_page_shows_it(maple: Maple) -> None:
    booked = maple.book()

    assert ESCAPED in text_of(Browser().get(f"/appointments/{booked.manage_token}/"))


def test_the_clients_email_and_calendar_entry_have_it(maple: Maple) -> None:
    maple.book()
    send_all()

    message = sent_to("cleo@example.com")
    assert TEXT in part(message, "text/plain").replace("\r\n", "\n")
    assert ESCAPED in part(message, "text/html")
    assert str(event_of(message)[1]["description"]).endswith(f"\n\n{TEXT}")


def test_neither_staff_nor_a_cancelled_appointment_have_it(maple: Maple) -> None:
    booked = maple.book()
    send_all()
    to_staff = sent_to("sam@maple.example")
    cancel(booked)
    send_all()

    messages = [to_staff, sent_to("cleo@example.com")]
    assert ["Queen Street" in part(message, "text/html") for message in messages] == [False, False]


def test_the_form_limits_its_length(maple: Maple, as_ada: Browser) -> None:
    sent = {"name": "Review", "duration": 30, "start_step": 15, "confirmation_text": "x" * 2001}

    page = as_ada.post(f"/services/{maple.review.pk}/", sent)

    assert page.context["form"].errors["confirmation_text"]
    assert page.context["form"]["confirmation_text"].value() == "x" * 2001
