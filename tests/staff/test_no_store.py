"""Cache-Control headers of pages."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse


@pytest.mark.parametrize("page", ["staff-list", "client-list", "service-list", "schedule", "appointment-add"])
def test_pages_for_signed_in_users_are_not_stored(as_ada, page):
    answer = as_ada.get(reverse(page))

    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")


def test_error_pages_are_not_stored_either(as_sam):
    refused = as_sam.get(reverse("service-list"))
    missing = as_sam.get(reverse("appointment", args=[0]))

    assert [(answer.status_code, answer["Cache-Control"]) for answer in (refused, missing)] == [
        (403, "private, no-store"),
        (404, "private, no-store"),
    ]


def test_a_page_polled_by_etag_sets_its_own_cache_control(as_ada):
    first = as_ada.get(reverse("schedule-events"))
    again = as_ada.get(reverse("schedule-events"), headers={"If-None-Match": first["ETag"]})

    assert first["Cache-Control"] == "private, no-cache"
    assert (again.status_code, again["Cache-Control"]) == (304, "private, no-cache")


@pytest.mark.parametrize("page", ["/password/forgotten/", "/healthz"])
def test_public_pages_keep_their_headers(db, page):
    assert "Cache-Control" not in Client().get(page).headers


def test_static_files_are_cacheable_for_everyone(as_ada):
    answer = as_ada.get("/static/coconut/coconut.js")

    assert "no-store" not in answer.headers.get("Cache-Control", "")
