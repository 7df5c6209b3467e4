"""Profile of a staff member: Video Calls Platform and personal link."""

from __future__ import annotations

import re

import pytest
from django.test import Client as Browser
from django.urls import reverse

from staff.models import Role
from tests.factories import make_connection, make_member, make_organization

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_teams")]


def page(browser: Browser, address: str) -> str:
    return browser.get(address).content.decode()


def test_an_admin_chooses_the_platform_of_a_person(browser, maple, sam):
    make_connection(maple)
    second = make_connection(maple, name="Microsoft Teams 2", is_default=False, account_oid="2")

    html = page(browser, reverse("staff-profile", args=[sam.pk]))
    response = browser.post(reverse("staff-profile", args=[sam.pk]), {"platform": str(second.pk)}, follow=True)

    assert re.findall(r"<option[^>]*>\s*([^<]+?)\s*</option>", html) == [
        "Organisation default (Microsoft Teams)",
        "Microsoft Teams",
        "Microsoft Teams 2",
        "Personal link",
    ]
    sam.refresh_from_db()
    assert (sam.video_choice, sam.video_connection) == ("connection", second)
    assert "Saved." in response.content.decode()


def test_a_personal_link_is_required_and_the_input_is_kept(browser, sam):
    response = browser.post(
        reverse("staff-profile", args=[sam.pk]),
        {"platform": "personal", "personal_meeting_note": "Ring twice"},
    )

    html = response.content.decode()
    assert "Enter the personal meeting link." in html
    assert 'value="Ring twice"' in html
    assert '<option value="personal" selected>' in html
    sam.refresh_from_db()
    assert sam.video_choice == "default"


def personal_link(browser, sam, **changes: str):
    """Return the errors of the profile with this personal link; None if it is saved."""
    sent = {"platform": "personal", "personal_meeting_url": "https://meet.example/sam", **changes}
    answer = browser.post(reverse("staff-profile", args=[sam.pk]), sent)
    return dict(answer.context["form"].errors) if answer.context else None


@pytest.mark.parametrize("address", ["http://meet.example/sam", "ftp://meet.example/", "meet me", "https://"])
def test_a_personal_link_must_be_an_https_address(browser, sam, address):
    assert personal_link(browser, sam, personal_meeting_url=address) == {
        "personal_meeting_url": ["Enter an address that begins with https://, such as https://meet.example.com/me."]
    }


def test_https_is_assumed_without_a_scheme(browser, sam):
    assert personal_link(browser, sam, personal_meeting_url="meet.example/sam") is None
    sam.refresh_from_db()
    assert (sam.video_choice, sam.personal_meeting_url) == ("personal", "https://meet.example/sam")


@pytest.mark.parametrize(
    "pasted", ["https://meet.example/sam\u200b", "<https://meet.example/sam>", "\ufeffmeet.example/sam"]
)
def test_a_pasted_personal_link_is_stored_without_what_does_not_belong_to_it(browser, sam, pasted):
    assert personal_link(browser, sam, personal_meeting_url=pasted) is None
    sam.refresh_from_db()
    assert sam.personal_meeting_url == "https://meet.example/sam"


@pytest.mark.parametrize("note", ["Ring\ntwice", "Ring\ttwice", "Ring\u2028twice"])
def test_the_note_for_a_personal_link_is_one_line(browser, sam, note):
    assert personal_link(browser, sam, personal_meeting_note=note) == {
        "personal_meeting_note": ["Write this on one line, without tabs and other control characters."]
    }


def test_a_disconnected_platform_is_shown_as_such(browser, maple, sam):
    gone = make_connection(maple, status="disconnected", is_default=False)
    sam.video_choice, sam.video_connection = "connection", gone
    sam.save()

    html = page(browser, reverse("staff-profile", args=[sam.pk]))

    assert "Microsoft Teams (disconnected)" in html


def test_a_connection_of_another_organisation_is_not_a_choice(browser, sam):
    foreign = make_connection(make_organization("Cedar Bank"))

    response = browser.post(reverse("staff-profile", args=[sam.pk]), {"platform": str(foreign.pk)})

    assert "Select a valid choice." in response.content.decode()
    sam.refresh_from_db()
    assert sam.video_choice == "default"


def test_staff_choose_for_themselves_only(client, maple, ada, sam):
    make_connection(maple)
    client.force_login(sam)

    own = client.post(reverse("staff-profile", args=[sam.pk]), {"platform": "default"})
    foreign = client.post(reverse("staff-profile", args=[ada.pk]), {"platform": "default"})

    assert own.url == reverse("staff-profile", args=[sam.pk])
    assert foreign.status_code == 404


def test_a_person_of_another_organisation_has_no_profile_here(browser):
    otto = make_member(make_organization("Cedar Bank"), "Otto Keller", Role.ADMIN)

    assert browser.get(reverse("staff-profile", args=[otto.pk])).status_code == 404
