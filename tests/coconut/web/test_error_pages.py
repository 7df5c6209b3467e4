"""Error pages have the product's look and say what to do next."""

from __future__ import annotations

import pytest
from django.core.exceptions import BadRequest
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import reverse

from coconut import views
from coconut.web.body_limits import LARGEST_BODY
from coconut.web.error_pages import server_error
from tests.integrations.pages import page_text

pytestmark = pytest.mark.django_db
LOOK = "coconut/coconut.css"


def strict(client: Browser) -> Browser:
    """Return a browser that checks CSRF, with the same cookies."""
    checking = Browser(enforce_csrf_checks=True)
    checking.cookies = client.cookies
    return checking


def too_large(client: Browser):
    return client.post("/sign-in/", b"a" * (LARGEST_BODY + 1), content_type="multipart/form-data; boundary=x")


def test_a_missing_csrf_cookie_leads_back_to_the_page(as_ada):
    page = "http://testserver/staff/add/?from=list"

    response = strict(as_ada).post("/staff/add/", {"first_name": "Nia"}, headers={"referer": page})

    assert response.status_code == 403
    assert "Nothing was saved. Go back, reload the page and submit the form again." in page_text(response)
    assert 'href="/staff/add/?from=list">Back to the page' in response.text
    assert LOOK in response.text


@pytest.mark.parametrize("referer", ["", "https://evil.example/staff/add/"])
def test_the_way_back_never_leads_to_another_site(as_ada, referer):
    response = strict(as_ada).post("/staff/add/", headers={"referer": referer})

    assert 'href="/">Back to the page' in response.text


def test_a_button_of_an_old_page_reloads_the_page(as_ada, sam):
    response = strict(as_ada).post(reverse("staff-invite", args=[sam.pk]), headers={"hx-request": "true"})

    assert response["HX-Refresh"] == "true"
    sentences = [str(message) for message in as_ada.get("/staff/").context["messages"]]
    assert sentences == ["This page was out of date, so nothing was saved. Try again."]


def test_the_address_of_a_button_is_explained(as_ada, sam):
    response = as_ada.get(reverse("staff-invite", args=[sam.pk]))

    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert "Nothing was changed. Back to the start" in page_text(response)
    assert LOOK in response.text


def test_a_large_body_gets_a_page_with_the_security_headers_of_other_pages(client):
    response, other = too_large(client), client.get("/sign-in/")

    assert response.status_code == 413
    assert "Nothing was saved." in page_text(response)
    assert LOOK in response.text
    for header in ("Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy"):
        assert response[header] == other[header]


def test_an_unknown_address_is_explained(client):
    response = client.get("/no-such-page/")

    assert response.status_code == 404
    assert "Back to the start" in page_text(response)


def test_an_unreadable_request_is_explained(as_ada, monkeypatch):
    def refuse(request: object) -> None:
        raise BadRequest

    monkeypatch.setattr(views, "redirect", refuse)

    response = as_ada.get("/")

    assert response.status_code == 400
    assert "Go back, reload the page and try again." in page_text(response)
    assert LOOK in response.text


def test_a_server_error_gives_the_number_for_support(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr("coconut.web.error_pages.log_context.request_id", lambda: "4f1c")
    with django_assert_num_queries(0):
        response = server_error(RequestFactory().get("/"))

    assert response.status_code == 500
    assert "this number: 4f1c" in page_text(response)
    assert LOOK in response.content.decode()
