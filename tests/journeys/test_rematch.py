"""The automatic rematch of one person, from the forms and from the shell, by a real worker."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.journeys import steps
from tests.stack import Stack


def status_of(page: Page, name: str) -> str:
    """The status on the dashboard as it is now."""
    steps.open_video_calls(page)
    return page.get_by_role("row", name=re.compile(name)).locator(".status").inner_text()


def test_a_person_is_rematched_when_the_form_or_the_shell_changes_their_email(
    page: Page, stack: Stack
) -> None:
    steps.sign_in(page)
    steps.connect(page)
    expect(page.get_by_role("row", name=re.compile("Hugo Martin"))).to_contain_text("Unmatched")

    # The dashboard says whom Microsoft knows Hugo as; the form takes that over.
    page.get_by_role("link", name="Staff", exact=True).click()
    page.get_by_role("row", name=re.compile("Hugo Martin")).get_by_role("link", name="Edit").click()
    page.get_by_label("Email").fill("hugo.martin@maple.example")
    page.get_by_role("button", name="Save").click()
    stack.wait_until(lambda: status_of(page, "Hugo Martin") == "Matched")

    stack.python(
        "from staff.models import StaffMember\n"
        "ivy = StaffMember.objects.get(email='ivy@maple.example')\n"
        "ivy.email = 'uma@contoso.example'\n"
        "ivy.save()"
    )
    stack.wait_until(lambda: status_of(page, "Ivy Chen") == "Matched")


def test_somebody_added_is_matched_and_off(page: Page, stack: Stack) -> None:
    stack.control("people", people=[{"upn": "nina@maple.example", "name": "Nina Falk"}])
    steps.sign_in(page)
    steps.connect(page)
    page.get_by_role("link", name="Staff", exact=True).click()
    page.get_by_role("link", name="Add").click()
    page.get_by_label("First name").fill("Nina")
    page.get_by_label("Last name").fill("Falk")
    page.get_by_label("Email").fill("nina@maple.example")
    page.get_by_role("button", name="Save").click()

    stack.wait_until(lambda: status_of(page, "Nina Falk") == "Matched")

    expect(page.get_by_role("switch", name="Video Calls for Nina Falk")).not_to_be_checked()
