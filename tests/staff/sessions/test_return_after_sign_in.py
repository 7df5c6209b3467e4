"""After the session has ended, the sign-in page leads back to the page where the person was."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from staff.sessions.models import StaffSession
from tests.factories import PASSWORD

HTMX = {"hx-request": "true"}
SITE = "http://testserver"


@pytest.fixture
def as_sam(as_sam) -> Client:
    """Sam's browser after his session was ended elsewhere."""
    StaffSession.objects.all().delete()
    return as_sam  # type: ignore[no-any-return]


def test_a_button_leads_back_to_its_page(as_sam, sam):
    page = f"/staff/{sam.pk}/hours/?week=2"

    response = as_sam.post(reverse("staff-time-off", args=[sam.pk]), headers={"referer": f"{SITE}{page}"})

    assert response["Location"] == f"/sign-in/?next=/staff/{sam.pk}/hours/%3Fweek%3D2"


def test_signing_in_again_opens_that_page(as_sam, sam):
    sam.set_password(PASSWORD)
    sam.save()
    page = f"/staff/{sam.pk}/hours/"
    sign_in = as_sam.post(reverse("staff-time-off", args=[sam.pk]), headers={"referer": f"{SITE}{page}"})["Location"]

    response = as_sam.post(sign_in, {"username": sam.email, "password": PASSWORD, "next": page})

    assert response["Location"] == page


def test_a_path_with_two_slashes_does_not_lead_to_another_site(as_sam, sam):
    response = as_sam.post(reverse("staff-time-off", args=[sam.pk]), headers={"referer": f"{SITE}//evil.example/x"})

    assert response["Location"] == "/sign-in/?next=/%252Fevil.example/x"


@pytest.mark.parametrize("referer", ["", "https://evil.example/", "//evil.example/", f"{SITE}:8000/staff/"])
def test_a_button_of_an_unknown_page_leads_to_the_start(as_sam, sam, referer):
    response = as_sam.post(reverse("staff-time-off", args=[sam.pk]), headers={"referer": referer})

    assert response["Location"] == "/sign-in/?next=/"


def test_a_missing_csrf_cookie_does_not_hide_the_end_of_the_session(as_sam, sam):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = as_sam.cookies

    response = strict.post(reverse("staff-time-off", args=[sam.pk]), headers={"referer": f"{SITE}/staff/"})

    assert response["Location"] == "/sign-in/?next=/staff/"


def test_htmx_leaves_the_whole_page_and_comes_back_to_it(as_sam):
    headers = {**HTMX, "hx-current-url": f"{SITE}/schedule/?date=2026-11-30&appointment=5"}

    response = as_sam.get("/schedule/appointments/5/news/", headers=headers)

    address = "/sign-in/?next=/schedule/%3Fdate%3D2026-11-30%26appointment%3D5"
    assert (response.status_code, response["HX-Redirect"]) == (401, address)


def test_htmx_on_another_site_leads_to_the_start(as_sam):
    response = as_sam.get("/schedule/", headers={**HTMX, "hx-current-url": "https://evil.example/schedule/"})

    assert response["HX-Redirect"] == "/sign-in/?next=/"


def test_htmx_on_a_path_with_two_slashes_does_not_lead_to_another_site(as_sam):
    response = as_sam.get("/schedule/", headers={**HTMX, "hx-current-url": f"{SITE}//evil.example/x"})

    assert response["HX-Redirect"] == "/sign-in/?next=/%252Fevil.example/x"


def test_htmx_with_an_unreadable_address_leads_to_the_start(as_sam):
    response = as_sam.get("/schedule/", headers={**HTMX, "hx-current-url": "http://["})

    assert response["HX-Redirect"] == "/sign-in/?next=/"


def test_a_script_gets_the_address_of_the_sign_in_page(as_sam):
    headers = {"x-requested-with": "XMLHttpRequest", "referer": f"{SITE}/schedule/?view=week"}

    response = as_sam.get(reverse("schedule-events"), headers=headers)

    assert (response.status_code, response["HX-Redirect"]) == (401, "/sign-in/?next=/schedule/%3Fview%3Dweek")


def test_the_sign_in_page_says_once_that_the_session_was_ended(as_sam):
    as_sam.get("/schedule/", headers={**HTMX, "hx-current-url": f"{SITE}/schedule/"})
    response = as_sam.get("/schedule/", follow=True)

    assert [str(message) for message in response.context["messages"]] == ["Your session has ended. Sign in again."]


def test_a_first_visit_gets_no_such_sentence(client, db):
    response = client.get("/schedule/", follow=True)

    assert list(response.context["messages"]) == []


def test_signing_out_after_the_end_needs_no_sign_in(as_sam):
    assert as_sam.post(reverse("logout"))["Location"] == reverse("login")
