"""Django admin at /operator/ under the strict Content-Security-Policy, in a real browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.journeys import steps
from tests.stack import Stack


def test_an_operator_sets_up_an_installation_in_the_admin(page: Page, stack: Stack) -> None:
    page.goto("/operator/")
    steps.sign_in_as_operator(page)

    page.get_by_role("button", name="Toggle theme").first.click()
    page.get_by_role("link", name="Organisations", exact=True).first.click()
    page.get_by_role("link", name="Add organisation").click()
    page.get_by_label("Name:").first.press_sequentially("Birch Clinic")
    expect(page.get_by_label("Slug:")).to_have_value("birch-clinic")
    page.locator("#id_time_zone").select_option("America/Halifax")
    page.get_by_label("First admin: first name").fill("Bea")
    page.get_by_label("First admin: email").fill("bea@birch.example")
    page.get_by_label("Microsoft Teams add-on").check()
    page.get_by_role("button", name="Add another Location").click()
    page.locator("#id_locations-0-name").fill("Old Town")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    expect(page.get_by_text("An invitation to bea@birch.example is on its way.")).to_be_visible()

    page.goto("/operator/staff/staffmember/add/")
    page.get_by_label("Email").fill("cal@birch.example")
    page.get_by_label("Organisation:").select_option("Birch Clinic")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    expect(page.get_by_text("An invitation to cal@birch.example is on its way.")).to_be_visible()

    page.goto("/operator/staff/staffmember/")
    page.get_by_role("link", name="sam@maple.example").click()
    page.get_by_role("link", name="Reset password").click()
    page.get_by_label("Password:", exact=True).fill("a long first password")
    page.get_by_label("Password confirmation").fill("a long first password")
    page.get_by_role("button", name="Change password", exact=True).click()
    page.get_by_role("button", name="Log out").click()

    page.goto("/sign-in/")
    page.get_by_label("Email").fill("sam@maple.example")
    page.get_by_label("Password").fill("a long first password")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/schedule/")
    admins = stack.sql(
        "SELECT m.role, o.slug, l.name FROM staff_staffmember m JOIN staff_organization o ON o.id = m.organization_id"
        " JOIN staff_location l ON l.organization_id = o.id WHERE m.email IN ('bea@birch.example', 'cal@birch.example')"
    )
    assert admins == [("admin", "birch-clinic", "Old Town")] * 2
