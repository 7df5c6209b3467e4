"""The article's "Rematch all Coconut users with Microsoft Teams users"."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.article.clicks import (
    add_second_integration,
    choose_action,
    click_through_to_video_calls,
    expect_status,
)
from tests.article.conftest import Connected
from tests.journeys import steps
from tests.stack import Stack

CONFIRMATION = "All users have been rematched."


def test_updates_to_the_upn_require_manually_triggering_the_action(dashboard: Page, stack: Stack) -> None:
    """Updates made to the UPN through Microsoft Teams or other Microsoft apps will require manually triggering the
    Rematch All Users action.
    """
    stack.control("people", people=[{"upn": "ivy@maple.example", "name": "Ivy Chen"}])
    dashboard.wait_for_timeout(2000)  # beat checks for work every second here
    dashboard.reload()
    expect_status(dashboard, "Ivy Chen", "Unmatched")

    choose_action(dashboard, "Rematch users")
    dashboard.get_by_role("button", name="Rematch all users").click()

    expect(dashboard.get_by_text(CONFIRMATION)).to_be_visible()
    expect_status(dashboard, "Ivy Chen", "Matched")


def test_steps_1_and_2_click_settings_then_video_calls(dashboard: Page) -> None:
    """From the navigation menu, click Settings. Click Video Calls"""
    click_through_to_video_calls(dashboard)

    expect(dashboard.get_by_text("Actions", exact=True)).to_be_visible()


def test_step_2_bullet_open_the_dashboard_of_one_of_several(dashboard: Page) -> None:
    """If more than one integration is connected, open the Microsoft Teams Dashboard"""
    add_second_integration(dashboard)
    steps.open_video_calls(dashboard)
    dashboards = dashboard.get_by_role("link", name="Microsoft Teams Dashboard")
    expect(dashboards).to_have_count(2)

    dashboards.first.click()

    expect(dashboard.get_by_text("Actions", exact=True)).to_be_visible()


def test_step_3_click_actions_in_the_upper_right(dashboard: Page) -> None:
    """Click Actions in the upper right of the screen"""
    actions = dashboard.get_by_text("Actions", exact=True)
    place = actions.bounding_box()
    assert place is not None
    assert place["x"] > 900
    assert place["y"] < 200

    actions.click()

    items = dashboard.locator(".menu-list").get_by_role("link")
    assert items.all_inner_texts() == ["Rematch users", "Reauthorize", "Disconnect"]


def test_step_4_click_rematch_users(dashboard: Page) -> None:
    """Click Rematch users"""
    choose_action(dashboard, "Rematch users")

    expect(dashboard.get_by_role("heading", level=1)).to_have_text("Rematch users")
    expect(dashboard.get_by_role("button", name="Rematch all users")).to_be_visible()


def test_step_5_click_rematch_all_users_to_confirm(dashboard: Page) -> None:
    """Click Rematch all users to confirm"""
    page = dashboard
    at_first = page.url.partition("?")[0]
    choose_action(page, "Rematch users")

    page.get_by_role("button", name="Rematch all users").click()

    page.wait_for_url(at_first)


def test_a_confirmation_displays_once_the_refresh_completes(connected: Connected, stack: Stack) -> None:
    """You are returned to the Video Calls screen, where a confirmation displays once the refresh successfully
    completes.
    """
    page = connected.page
    stack.control("fault", kind="latency", regex=r"/v1\.0/(users|\$batch)", ms=1500)
    choose_action(page, "Rematch users")
    page.get_by_role("button", name="Rematch all users").click()
    expect(page.get_by_text("Matching your staff with Microsoft Teams users")).to_be_visible()
    expect(page.get_by_text(CONFIRMATION)).to_have_count(0)
    page.evaluate("window.isTheSamePage = true")

    expect(page.get_by_role("status").filter(has_text=CONFIRMATION)).to_be_visible()

    assert page.evaluate("window.isTheSamePage") is True


def test_a_failed_rematch_shows_no_confirmation(dashboard: Page, stack: Stack) -> None:
    """a confirmation displays once the refresh successfully completes"""
    stack.control("fault", kind="forbidden")
    choose_action(dashboard, "Rematch users")

    dashboard.get_by_role("button", name="Rematch all users").click()

    expect(dashboard.locator("#run-sentence p")).to_have_class(re.compile("alert-warning"))
    expect(dashboard.get_by_text(CONFIRMATION)).to_have_count(0)
