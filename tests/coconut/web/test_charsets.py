"""Requests in another charset than UTF-8, and bodies that can't be parsed: a 400 with a page, never a 500."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any
from unittest.mock import Mock

import pytest
from django.test import Client as Browser
from django.test import RequestFactory

from appointments.models import Client
from coconut.web.charsets import Utf8Handler
from staff.models import StaffMember

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
FIELD = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nZoe\r\n--x--\r\n'
PAGES = ["/sign-in/", "/clients/add/", "/contact-center/book/", "/book/maple/", "/no-such-page/"]
CSRF = "a" * 32
pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ada: StaffMember) -> Browser:
    """Ada's browser. It checks the CSRF token as in production, and returns a 500 instead of raising its exception."""
    browser = Browser(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(ada)
    browser.cookies["coconut_csrf"] = CSRF
    return browser


def post(browser: Browser, page: str, content_type: str, body: bytes) -> Any:
    return browser.generic("POST", page, body, content_type=content_type, headers={"x-csrftoken": CSRF})


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (f"{FORM}; charset=utf-7", b"name=Zoe"),
        (f"{FORM}; charset=latin-1", b"name=Zoe"),
        (f"{FORM}; charset=no-such-charset", b"name=Zoe"),
        (f"{MULTIPART}; charset=base64", FIELD),
        (f"{MULTIPART}; charset=utf-16", FIELD),
        ("application/json; charset=utf-7", b'{"service": 1}'),
    ],
)
def test_another_charset_is_refused_with_a_sentence(
    page: str, content_type: str, body: bytes, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    response = post(browser, page, content_type, body)

    assert response.status_code == 400
    assert "Nothing was saved." in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert not Client.objects.exists()


def test_a_get_request_in_another_charset_is_refused(browser: Browser) -> None:
    response = browser.get("/book/maple/?date=%FF", headers={"content-type": "text/plain; charset=utf-7"})

    assert response.status_code == 400


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=UTF-8", "; charset=utf8", '; charset="utf-8"'])
def test_utf_8_is_accepted(charset: str, browser: Browser) -> None:
    response = post(browser, "/clients/add/", f"{FORM}{charset}", "name=Zoë&email=zoe@example.com".encode())

    assert response.status_code == 303
    assert Client.objects.get().name == "Zoë"


@pytest.mark.parametrize("page", ["/sign-in/", "/clients/add/", "/contact-center/book/"])
def test_a_broken_multipart_body_is_refused_with_a_sentence(page: str, browser: Browser) -> None:
    response = post(browser, page, "multipart/form-data", FIELD)

    assert response.status_code == 400
    assert "Nothing was saved." in response.text


@pytest.mark.parametrize(
    "content_type",
    ["text/plain; charset=base64", "text/plain; charset*=nope''utf-8", "multipart/form-data; boundary*=nope''x"],
)
def test_a_request_that_django_cannot_even_construct_is_refused(content_type: str) -> None:
    environ = RequestFactory().generic("POST", "/sign-in/?next=/").environ
    environ |= {"CONTENT_TYPE": content_type, "wsgi.input": BytesIO(b"")}
    start_response = Mock()

    body = b"".join(Utf8Handler()(environ, start_response))

    assert start_response.call_args.args[0] == "400 Bad Request"
    assert b"Nothing was saved." in body
