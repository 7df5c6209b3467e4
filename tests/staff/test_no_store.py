"""What a browser may keep of the pages."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse


@pytest.mark.parametrize("page", ["staff-list", "client-list", "service-list", "schedule", "appointment-add"])
def test_no_browser_keeps_the_page_of_somebody_signed_in(as_ada, page):
    answer = as_ada.get(reverse(page))

    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")


def test_what_is_refused_or_not_there_is_not_kept_either(as_sam):
    refused = as_sam.get(reverse("service-list"))
    missing = as_sam.get(reverse("appointment", args=[0]))

    assert [(answer.status_code, answer["Cache-Control"]) for answer in (refused, missing)] == [
        (403, "private, no-store"),
        (404, "private, no-store"),
    ]


def test_a_page_that_is_polled_by_etag_says_itself_what_is_kept(as_ada):
    first = as_ada.get(reverse("schedule-events"))
    again = as_ada.get(reverse("schedule-events"), headers={"If-None-Match": first["ETag"]})

    assert first["Cache-Control"] == "private, no-cache"
    assert (again.status_code, again["Cache-Control"]) == (304, "private, no-cache")


@pytest.mark.parametrize("page", ["/password/forgotten/", "/healthz"])
def test_public_pages_are_left_as_they_are(db, page):
    assert "Cache-Control" not in Client().get(page).headers


def test_static_files_are_kept_whoever_asks(as_ada):
    answer = as_ada.get("/static/coconut/coconut.js")

    assert "no-store" not in answer.headers.get("Cache-Control", "")
