"""The article's "Enable the integration for users"."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.article.clicks import expect_status, names, row_of, switch_of
from tests.article.conftest import Connected
from tests.journeys import steps
from tests.stack import Stack


def test_a_list_of_users_is_displayed_in_the_dashboard(seen_connected: Connected) -> None:
    """A list of users displayed in the Microsoft Teams dashboard in Video Calls."""
    page = seen_connected.page

    expect(page.get_by_role("heading", level=1)).to_have_text("Microsoft Teams dashboard")
    assert {seen_connected.host, seen_connected.colleague} <= set(names(page))


def test_the_account_displays_at_the_top_of_the_screen(seen_connected: Connected) -> None:
    """The account used to establish the integration displays at the top of the screen."""
    account = seen_connected.page.get_by_label("Connected account")

    expect(account.get_by_text(seen_connected.account, exact=True)).to_be_visible()
    above, below = account.bounding_box(), seen_connected.page.locator("#users").bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] < below["y"]


def test_step_1_navigate_to_the_user(seen_connected: Connected) -> None:
    """Navigate to the user that requires changes"""
    expect(row_of(seen_connected.page, seen_connected.host).get_by_role("switch")).to_have_count(1)


def test_step_2_toggle_on_and_off_the_video_calls_setting(dashboard: Page) -> None:
    """Toggle on/off the Video Calls setting for that user, based on the required change"""
    page = dashboard
    switch = switch_of(page, "Sam Okafor")

    for state in ("true", "false"):
        switch.click()
        expect(switch).to_have_attribute("aria-checked", state)
        page.reload()
        expect(switch).to_have_attribute("aria-checked", state)
    expect(switch_of(page, "Anna Berg")).to_have_attribute("aria-checked", "false")


def test_note_matched_means_in_sync(seen_connected: Connected) -> None:
    """The "Matched" status in the Microsoft Teams User column indicates that user's Coconut and Teams accounts are
    successfully synced.
    """
    page = seen_connected.page

    expect(page.get_by_role("columnheader", name="Microsoft Teams User")).to_be_visible()
    expect_status(page, seen_connected.host, "Matched")


def test_note_unmatched_and_forbidden_mean_out_of_sync_or_not_permitted(seen_dashboard: Page) -> None:
    """ "Unmatched" or "Forbidden" statuses indicate that the user is out of sync or does not have the correct
    permissions.
    """
    # Nobody at Microsoft has Ivy's address.
    expect_status(seen_dashboard, "Ivy Chen", "Unmatched")
    expect_status(seen_dashboard, "Sam Okafor", "Matched")
    expect(seen_dashboard.get_by_text("“Unmatched” means that they are out of sync")).to_be_visible()


def test_note_forbidden_by_policy(policy_dashboard: Page, stack: Stack) -> None:
    """ "Unmatched" or "Forbidden" statuses indicate that the user […] does not have the correct permissions."""
    stack.control("policy", clear=True)
    stack.control("other-policy", user="olga@cedar.example")
    stack.sql("UPDATE integrations_usermatch SET host_permission = 'unknown', host_permission_due_at = now()")

    stack.wait_until(lambda: _is_forbidden(policy_dashboard))


def _is_forbidden(page: Page) -> bool:
    steps.open_video_calls(page)
    return row_of(page, "Olga Novak").locator(".status").inner_text() == "Forbidden"


def test_once_configured_it_is_enabled_from_the_video_calls_page(dashboard: Page) -> None:
    """Once the integration is configured, it can be enabled for users from the Video Calls page"""
    dashboard.goto("/settings/")

    dashboard.get_by_role("link", name="Video Calls").click()

    expect(switch_of(dashboard, "Sam Okafor")).to_be_visible()


def test_hot_tip_select_the_checkbox_preceding_coconut_user(long_dashboard: Page, stack: Stack) -> None:
    """To make a mass update of all users, select the checkbox preceding the Coconut User heading"""
    page = long_dashboard
    expect(page.get_by_text("1–25 of 42")).to_be_visible()
    heading = page.get_by_role("columnheader", name="Coconut User")
    checkbox = heading.locator("xpath=preceding-sibling::th").get_by_role("checkbox")

    checkbox.check()
    expect(page.get_by_text("All 42 users selected")).to_be_visible()
    page.get_by_role("button", name="Turn on").click()

    expect(page.get_by_text("Video Calls is on for 42 more people.")).to_be_visible()
    on = "SELECT count(*) FROM integrations_usermatch WHERE enabled"
    assert stack.sql(on) == [(42,)]


def test_hot_tip_click_the_arrow_icon_following_coconut_user(long_dashboard: Page) -> None:
    """To modify the sort order, click the arrow icon following the Coconut User heading"""
    page = long_dashboard
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    first = names(page)[0]

    page.get_by_role("columnheader", name="Coconut User").locator("i").click()

    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    backwards = names(page)
    page.get_by_role("columnheader", name="Coconut User").locator("i").click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    assert names(page)[0] == first
    assert backwards[0] > backwards[-1] > first


def test_hot_tip_enter_details_in_the_search_bar(long_dashboard: Page) -> None:
    """To find a specific user, enter the user's details in the search bar"""
    page = long_dashboard
    search = page.get_by_role("searchbox", name="Search users")

    for details in ("okafor", "sam@maple"):
        search.fill(details)
        expect(page.get_by_text("1–1 of 1")).to_be_visible()
        assert names(page) == ["Sam Okafor"]
        search.fill("")
        expect(page.get_by_text("1–25 of 42")).to_be_visible()


def test_hot_tip_filter_list_by_enabled(dashboard: Page) -> None:
    """To filter the list based on whether the integration is enabled […], click the Filter list icon"""
    steps.turn_on(dashboard, "Sam Okafor")

    dashboard.get_by_text("Filter list").click()
    dashboard.get_by_label("Video Calls", exact=True).select_option(label="On")
    expect(dashboard.get_by_text("1–1 of 1")).to_be_visible()
    assert names(dashboard) == ["Sam Okafor"]

    dashboard.get_by_label("Video Calls", exact=True).select_option(label="Off")
    expect(dashboard.get_by_text("1–11 of 11")).to_be_visible()
    assert "Sam Okafor" not in names(dashboard)


def test_hot_tip_filter_list_by_match(dashboard: Page) -> None:
    """To filter the list based on […] whether the user in Coconut is a match for the Teams user, click the Filter
    list icon
    """
    dashboard.get_by_text("Filter list").click()
    dashboard.get_by_label("Match status").select_option(label="Unmatched")

    expect(row_of(dashboard, "Sam Okafor")).to_have_count(0)
    assert "Ivy Chen" in names(dashboard)
    expect(dashboard.locator("#users .status").filter(has_text=re.compile("^Matched"))).to_have_count(0)


def test_hot_tip_rows_per_page(long_dashboard: Page) -> None:
    """To increase the number of display results, navigate to the bottom of the user list, select the Rows per page
    drop down, and make your desired changes
    """
    assert len(names(long_dashboard)) == 25

    long_dashboard.get_by_label("Rows per page").select_option(label="50")

    expect(long_dashboard.get_by_text("1–42 of 42")).to_be_visible()
    assert len(names(long_dashboard)) == 42
