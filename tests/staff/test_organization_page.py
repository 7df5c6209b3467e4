"""Settings > Organisation."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse

from coconut.web.uploads import LARGEST_FILE
from staff.audit_log.kinds import LOGO_CHANGED, LOGO_REMOVED, ORGANIZATION_CHANGED
from staff.audit_log.models import AuditEvent
from staff.audit_log.text import entries_of
from staff.models import Logo, Organization
from tests.staff.images import image_file, png_header

PAGE, LOGO_PAGE = reverse("organization-settings"), reverse("organization-logo")
DETAILS = {
    "name": "Maple Savings",
    "phone": "(416) 555-0190",
    "street": "120 Main Street",
    "city": "Toronto",
    "region": "ON",
    "postal_code": "M4E 2V8",
    "country": "CA",
    "time_zone": "America/Toronto",
    "language": "en",
    "clock": "12",
    "first_weekday": "6",
    "color": "#7A1F3D",
}


def test_an_admin_changes_the_details(as_ada: Browser, maple: Organization) -> None:
    response = as_ada.post(PAGE, DETAILS)

    assert response["Location"] == PAGE
    maple.refresh_from_db()
    assert (maple.name, maple.phone, maple.time_zone.key) == ("Maple Savings", "+14165550190", "America/Toronto")
    assert maple.address == "120 Main Street, Toronto, ON M4E 2V8, Canada"
    assert (maple.clock, maple.first_weekday, maple.color) == ("12", 6, "#7a1f3d")


def test_the_audit_log_has_what_changed(as_ada: Browser, maple: Organization) -> None:
    as_ada.post(PAGE, {**DETAILS, "name": maple.name, "phone": "", "color": ""})
    as_ada.post(PAGE, {**DETAILS, "name": maple.name, "phone": "", "color": ""})

    (entry,) = entries_of(AuditEvent.objects.filter(kind=ORGANIZATION_CHANGED.name))
    assert (entry.actor, entry.subject) == ("Ada Lovell", "Maple Credit Union")
    assert "Time zone: UTC → America/Toronto" in entry.details
    assert "Clock: 24 hours, such as 14:30 → 12 hours, such as 2:30 PM" in entry.details
    assert "Country: – → Canada" in entry.details


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "", "This field is required."),
        ("name", "Maple\u2028Bank", "Write this on one line, without tabs and other control characters."),
        ("color", "green", "Write the colour as six digits after #, such as #0b6e66."),
        ("color", "#ffd700", "White text is hard to read on this colour. Choose a darker one."),
        ("country", "XX", "Select a valid choice. XX is not one of the available choices."),
        ("time_zone", "Mars/Base", "Select a valid choice. Mars/Base is not one of the available choices."),
        ("language", "tlh", "Select a valid choice. tlh is not one of the available choices."),
        ("first_weekday", "2", "Select a valid choice. 2 is not one of the available choices."),
        ("phone", "call us", "Enter a phone number, such as (506) 234-5678."),
    ],
)
def test_bad_input_gets_a_sentence_and_changes_nothing(
    as_ada: Browser, maple: Organization, field: str, typed: str, sentence: str
) -> None:
    response = as_ada.post(PAGE, {**DETAILS, field: typed})

    assert response.context["form"].errors == {field: [sentence]}
    # What was typed stays, and the navigation keeps the stored name.
    assert response.context["form"]["street"].value() == "120 Main Street"
    assert response.context["user"].organization.name == "Maple Credit Union"
    maple.refresh_from_db()
    assert (maple.name, maple.street) == ("Maple Credit Union", "")


def test_the_country_of_a_new_organisation_follows_from_its_zone(as_ada: Browser, maple: Organization) -> None:
    Organization.objects.update(time_zone="America/Halifax")

    assert as_ada.get(PAGE).context["form"]["country"].value() == "CA"


def test_a_scheduler_and_a_staff_member_are_refused(as_sky: Browser, as_sam: Browser) -> None:
    assert [browser.get(PAGE).status_code for browser in (as_sky, as_sam)] == [403, 403]
    assert [browser.post(LOGO_PAGE).status_code for browser in (as_sky, as_sam)] == [403, 403]


def upload(browser: Browser, data: bytes, name: str = "logo.png") -> Any:
    return browser.post(LOGO_PAGE, {"logo": SimpleUploadedFile(name, data)})


def test_an_admin_uploads_and_removes_the_logo(as_ada: Browser, maple: Organization) -> None:
    uploaded = upload(as_ada, image_file())
    stored = Organization.objects.get().logo_digest
    page = as_ada.get(PAGE).content.decode()
    removed = as_ada.post(LOGO_PAGE, {"remove": "logo"})

    assert [uploaded["Location"], removed["Location"]] == [PAGE, PAGE]
    assert f"/brand/maple/{stored}.png" in page
    assert (Organization.objects.get().logo_digest, Logo.objects.count()) == ("", 0)
    kinds = AuditEvent.objects.filter(kind__startswith="logo").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == [LOGO_CHANGED.name, LOGO_REMOVED.name]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "This file is empty. Choose another file."),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            "This file is not a PNG, JPEG or WebP image, or it is damaged. Choose another file.",
        ),
        (
            png_header(20_000, 20_000),
            "This image has too many pixels. Make it smaller, for example 600 by 200 pixels.",
        ),
        (b"a" * (LARGEST_FILE + 1), "This file is larger than 1 MB. Choose a smaller image."),
    ],
    ids=["empty", "svg", "pixels", "size"],
)
def test_a_file_that_is_no_logo_gets_a_sentence_and_changes_nothing(
    as_ada: Browser, maple: Organization, data: bytes, sentence: str
) -> None:
    upload(as_ada, image_file())
    before = Organization.objects.get().logo_digest

    response = upload(as_ada, data)

    assert response.context["logo_form"].errors == {"logo": [sentence]}
    assert Organization.objects.get().logo_digest == before


def test_upload_without_a_file_asks_for_one(as_ada: Browser) -> None:
    assert as_ada.post(LOGO_PAGE, {}).context["logo_form"].errors == {"logo": ["Choose an image first."]}


def test_an_upload_needs_the_csrf_token(ada) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(ada)

    assert upload(browser, image_file()).status_code == 403
    assert Logo.objects.count() == 0


def test_an_admin_sets_the_email_for_replies(as_ada: Browser, maple: Organization) -> None:
    as_ada.post(PAGE, {**DETAILS, "reply_to": "mailto:Office@maple.example"})
    refused = as_ada.post(PAGE, {**DETAILS, "reply_to": "office"})

    maple.refresh_from_db()
    assert maple.reply_to == "Office@maple.example"
    assert "Enter a valid email address." in refused.content.decode()
