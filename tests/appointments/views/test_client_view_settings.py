"""Settings > Client View: the address, the sites that may embed it, what to paste."""

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


def test_sites_are_kept_as_browsers_name_them(maple: Maple, admin: Browser):
    admin.post(PAGE, {"embed_origins": "https://WWW.Maple.example/\r\n\r\nhttp://localhost:8080"})

    maple.organization.refresh_from_db()
    assert maple.organization.embed_origins == "https://www.maple.example\nhttp://localhost:8080"


@pytest.mark.parametrize(
    "line", ["maple.example", "https://a.example; script-src *", "*", "https://a.example/x"]
)
def test_what_is_no_site_is_refused_and_stays(maple: Maple, admin: Browser, line: str):
    page = admin.post(PAGE, {"embed_origins": line})

    assert page.context["form"].errors["embed_origins"] == [
        f"“{line}” is not an origin. Write it as https://www.example.com."
    ]
    maple.organization.refresh_from_db()
    assert maple.organization.embed_origins == ""


def test_the_page_has_the_address_and_what_to_paste(admin: Browser, settings: object):
    page = admin.get(PAGE).content.decode()

    assert "/book/maple/" in page
    assert "&lt;iframe src=" in page


def test_the_number_that_clients_call_is_kept_and_stands_below_their_mails(maple: Maple, admin: Browser):
    admin.post(PAGE, {"phone": "+1 555 0190"})

    maple.book(starts_at=timezone.now() + timedelta(days=7), outside_hours=True)
    send_waiting()
    assert "Maple Credit Union, +1 555 0190" in str(mail.outbox[0].body)
