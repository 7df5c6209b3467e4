"""Settings > Client View: address, phone, embedding sites and snippet."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client as Browser
from django.utils import timezone

from staff.models import Role
from staff.outbox import send_waiting
from tests.appointments.conftest import Maple
from tests.factories import make_member

PAGE = "/settings/client-view/"


@pytest.fixture
def admin(maple: Maple) -> Browser:
    browser = Browser()
    browser.force_login(make_member(maple.organization, "Ada Lovell", Role.ADMIN))
    return browser


def test_sites_are_stored_as_origins(maple: Maple, admin: Browser):
    admin.post(PAGE, {"embed_origins": "https://WWW.Maple.example/\r\n\r\nhttp://localhost:8080"})

    maple.organization.refresh_from_db()
    assert maple.organization.embed_origins == "https://www.maple.example\nhttp://localhost:8080"


@pytest.mark.parametrize("line", ["maple.example", "https://a.example; script-src *", "*", "https://a.example/x"])
def test_an_invalid_site_is_refused_and_the_input_is_kept(maple: Maple, admin: Browser, line: str):
    page = admin.post(PAGE, {"embed_origins": line})

    assert page.context["form"].errors["embed_origins"] == [
        f"“{line}” is not an origin. Write it as https://www.example.com."
    ]
    maple.organization.refresh_from_db()
    assert maple.organization.embed_origins == ""


def test_the_page_shows_the_address_and_the_snippet(admin: Browser, settings: object):
    page = admin.get(PAGE).content.decode()

    assert "/book/maple/" in page
    assert "&lt;iframe src=" in page


def test_the_phone_for_clients_is_saved_and_shown_in_emails(maple: Maple, admin: Browser):
    admin.post(PAGE, {"phone": "+1 555 0190"})

    maple.book(starts_at=timezone.now() + timedelta(days=7), outside_hours=True)
    send_waiting()
    assert "Maple Credit Union, +1 555 0190" in str(mail.outbox[0].body)
