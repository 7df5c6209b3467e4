"""Addresses of logos and colours on public pages."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from staff.branding.images import small_png
from staff.branding.logos import remove_logo, save_logo
from staff.models import Organization
from tests.factories import make_organization
from tests.staff.images import image_file

PNG = small_png(image_file())


@pytest.fixture
def maple(db) -> Organization:
    organization = make_organization(color="#7a1f3d")
    save_logo(organization, PNG)
    return organization


def test_a_logo_is_a_png_that_browsers_keep_and_never_sniff(maple: Organization) -> None:
    response = Browser().get(reverse("brand-logo", args=["maple", maple.logo_digest]))

    assert response.content == PNG
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_logo_that_was_replaced_or_removed_is_gone(maple: Organization) -> None:
    first = reverse("brand-logo", args=["maple", maple.logo_digest])
    save_logo(maple, small_png(image_file(size=(60, 20))))
    second = reverse("brand-logo", args=["maple", maple.logo_digest])
    remove_logo(maple)

    assert [Browser().get(address).status_code for address in (first, second)] == [404, 404]


def test_a_logo_is_not_found_under_another_organisation(maple: Organization) -> None:
    make_organization("Cedar Bank")

    assert Browser().get(reverse("brand-logo", args=["cedar", maple.logo_digest])).status_code == 404


def test_the_stylesheet_of_a_colour_needs_no_account() -> None:
    response = Browser().get("/brand/7a1f3d.css")

    assert response["Content-Type"] == "text/css; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert b"--tblr-primary: #7a1f3d;" in response.content


@pytest.mark.parametrize("digits", ["ffffff", "7A1F3D", "abc", "green"])
def test_a_colour_that_no_organisation_can_have_is_not_found(digits: str, db) -> None:
    assert Browser().get(f"/brand/{digits}.css").status_code == 404


def test_the_client_view_shows_the_logo_and_the_colour_without_inline_styles(maple: Organization) -> None:
    page = Browser().get(reverse("book", args=["maple"]))
    text = page.content.decode()

    assert f'src="/brand/maple/{maple.logo_digest}.png" alt="Maple Credit Union"' in text
    assert 'href="/brand/7a1f3d.css"' in text
    assert "style=" not in text
    assert "style-src 'self'" in page["Content-Security-Policy"]


def test_an_organisation_without_logo_and_colour_shows_its_name(db) -> None:
    make_organization()

    text = Browser().get(reverse("book", args=["maple"])).content.decode()

    assert '<p class="public-brand">Maple Credit Union</p>' in text
    assert "/brand/" not in text
