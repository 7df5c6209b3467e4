"""The cookie of a session."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.urls import reverse

from tests.factories import PASSWORD, make_member, make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Browser:
    """A browser with a session from before the sign-in."""
    browser = Browser()
    browser.session.save()
    return browser


def sign_in(browser: Browser) -> None:
    ada = make_member(make_organization(), "Ada Lovell")
    ada.set_password(PASSWORD)
    ada.save()
    browser.post(reverse("login"), {"username": ada.email, "password": PASSWORD})


def test_a_session_from_before_the_sign_in_is_worth_nothing_afterwards(browser: Browser) -> None:
    known_to_an_attacker = browser.cookies[settings.SESSION_COOKIE_NAME].value

    sign_in(browser)

    assert "_auth_user_id" in browser.session
    assert browser.session.session_key != known_to_an_attacker
    assert not browser.session.exists(known_to_an_attacker)


def test_scripts_and_other_sites_do_not_get_the_cookie(browser: Browser) -> None:
    sign_in(browser)

    cookie = browser.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")


def test_no_site_may_read_a_page_from_its_scripts(browser: Browser) -> None:
    sign_in(browser)

    response = browser.get(reverse("schedule-events"), headers={"Origin": "https://elsewhere.example"})

    assert response.status_code == 200
    assert [name for name in response.headers if name.startswith("Access-Control-")] == []
