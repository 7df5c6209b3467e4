"""Headers and cookies of responses, over http in this process and over https in another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.urls import reverse

from coconut.observability import probes
from coconut.web.body_limits import LARGEST_BODY
from tests.factories import PASSWORD, make_member, make_organization

# Requests the sign-in page as a browser does, over https. The demo needs no collected static files.
REQUEST = """
import json, django
django.setup()
from django.test import Client
answer = Client().get("/sign-in/", secure=True, headers={"host": "coconut.example"})
cookies = [cookie.OutputString() for cookie in answer.cookies.values()]
print(json.dumps({"headers": dict(answer.headers), "cookies": cookies}))
"""


def sign_in_page_over_https(**changed: str) -> dict[str, Any]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "coconut.settings",
        "BASE_URL": "https://coconut.example",
        "DEMO": "true",
        **changed,
    }
    done = subprocess.run(
        [sys.executable, "-c", REQUEST],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def https_page(servers: None) -> dict[str, Any]:
    return sign_in_page_over_https()


def test_over_https_other_hosts_cannot_set_the_cookies(https_page: dict[str, Any]) -> None:
    (cookie,) = https_page["cookies"]

    assert cookie.startswith("__Host-coconut_csrf=")
    # Browsers drop the cookie without these attributes or with a domain.
    assert {"Secure", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_over_https_all_cookies_have_the_prefix() -> None:
    code = """
from coconut import settings as s
print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.DEVICE_COOKIE_NAME, s.MESSAGES_COOKIE_NAME)
"""

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "BASE_URL": "https://coconut.example"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == [
        "__Host-coconut_session",
        "__Host-coconut_csrf",
        "__Host-coconut_device",
        "__Host-coconut_messages",
    ]


@pytest.mark.django_db
def test_a_sign_in_and_a_message_set_no_other_cookie() -> None:
    ada = make_member(make_organization(), "Ada Lovell")
    ada.set_password(PASSWORD)
    ada.save()
    browser = Browser()

    browser.get(reverse("login"))
    browser.post(reverse("login"), {"username": ada.email, "password": PASSWORD})
    browser.post(reverse("sign-out-everywhere"))

    assert set(browser.cookies) == {"coconut_session", "coconut_csrf", "coconut_device", "coconut_messages"}


def test_browsers_use_https_for_this_host_only(https_page: dict[str, Any]) -> None:
    assert https_page["headers"]["Strict-Transport-Security"] == "max-age=31536000"


def test_the_operator_may_extend_https_to_all_hosts_below() -> None:
    page = sign_in_page_over_https(SECURE_HSTS_INCLUDE_SUBDOMAINS="true")

    assert page["headers"]["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/sign-in/", "/healthz", "/no-such-page/", "/schedule/", "/static/coconut/coconut.js"]
)
def test_every_response_denies_what_no_page_uses(path: str) -> None:
    policy = Browser().get(path).headers["Permissions-Policy"]

    assert {"camera=()", "microphone=()", "geolocation=()", "payment=()", "usb=()"} <= set(policy.split(", "))
    # The button Copy uses it.
    assert "clipboard-write=(self)" in policy.split(", ")


def test_an_error_page_denies_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(request: object) -> None:
        raise RuntimeError

    monkeypatch.setitem(probes.PROBES, "/healthz", breaks)
    browser = Browser(raise_request_exception=False)

    answers = [browser.get("/healthz"), browser.post("/", b"a" * (LARGEST_BODY + 1), content_type="text/plain")]

    assert [answer.status_code for answer in answers] == [500, 413]
    assert all("camera=()" in answer.headers["Permissions-Policy"] for answer in answers)
