"""The article's "Modify the video service provider for a staff member"."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.article.clicks import add_second_integration, row_of
from tests.journeys import steps


def open_profile(page: Page, name: str) -> Locator:
    """Do steps 1 to 3 and return the dropdown."""
    page.get_by_role("link", name="Staff", exact=True).click()
    row_of(page, name).get_by_role("link", name="Profile").click()
    return page.get_by_label("Video Calls Platform")


def test_the_first_integration_becomes_the_default(dashboard: Page) -> None:
    """When a video integration is enabled for the first time, it becomes the default video service provider for staff
    facilitating video appointments.
    """
    platform = open_profile(dashboard, "Sam Okafor")

    expect(platform.locator("option:checked")).to_have_text("Organisation default (Microsoft Teams)")


def test_a_second_integration_does_not(dashboard: Page) -> None:
    """When a video integration is enabled for the first time, it becomes the default"""
    steps.turn_on(dashboard, "Sam Okafor")
    add_second_integration(dashboard)

    platform = open_profile(dashboard, "Sam Okafor")

    expect(platform.locator("option:checked")).to_have_text("Organisation default (Microsoft Teams)")


def test_step_1_from_the_navigation_menu_click_staff(dashboard: Page) -> None:
    """From the navigation menu, click Staff"""
    dashboard.get_by_role("navigation", name="Main").get_by_role("link", name="Staff", exact=True).click()

    expect(dashboard.get_by_role("heading", level=1)).to_have_text("Staff")


def test_step_2_navigate_to_the_staff_member(dashboard: Page) -> None:
    """Navigate to the staff member you want to modify"""
    dashboard.get_by_role("link", name="Staff", exact=True).click()

    expect(row_of(dashboard, "Sam Okafor").get_by_role("link", name="Profile")).to_be_visible()


def test_step_3_click_profile(dashboard: Page) -> None:
    """Click Profile"""
    open_profile(dashboard, "Sam Okafor")

    expect(dashboard.get_by_role("heading", level=1)).to_have_text("Sam Okafor")
    expect(dashboard.get_by_role("link", name="Profile")).to_have_attribute("aria-current", "page")


def test_step_4_select_your_preferred_option(dashboard: Page) -> None:
    """From the Video Calls Platform dropdown, select your preferred option"""
    options = open_profile(dashboard, "Sam Okafor").locator("option").all_inner_texts()

    assert options[:2] == ["Organisation default (Microsoft Teams)", "Microsoft Teams"]
    assert options[-1].startswith("Personal link")


def test_step_5_click_save(dashboard: Page) -> None:
    """Click Save"""
    page = dashboard
    platform = open_profile(page, "Sam Okafor")
    platform.select_option(label="Microsoft Teams")

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    page.reload()
    expect(platform.locator("option:checked")).to_have_text("Microsoft Teams")
