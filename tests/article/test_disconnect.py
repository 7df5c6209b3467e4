"""The article's "Disconnect the integration"."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.article.clicks import (
    add_second_integration,
    choose_action,
    click_through_to_video_calls,
    where_the_link_leads,
)
from tests.article.conftest import Connected
from tests.journeys import steps
from tests.stack import Stack


def test_note_you_should_first_try_reauthorize(dashboard: Page) -> None:
    """If you are attempting to disconnect and then re-connecting to resolve an error, you should first try the
    Reauthorize action.
    """
    page = dashboard
    choose_action(page, "Disconnect")
    expect(page.get_by_text("try Reauthorize first")).to_be_visible()

    page.get_by_role("link", name="Reauthorize").click()

    expect(page.get_by_role("button", name="Start Reauthorization")).to_be_visible()


def test_steps_1_and_2_click_settings_then_video_calls(dashboard: Page) -> None:
    """From the navigation menu, click Settings. Click Video Calls"""
    click_through_to_video_calls(dashboard)

    expect(dashboard.get_by_role("heading", level=1)).to_have_text("Microsoft Teams dashboard")


def test_step_2_bullet_open_the_dashboard_of_one_of_several(dashboard: Page) -> None:
    """If more than one integration is connected, open the Microsoft Teams Dashboard"""
    add_second_integration(dashboard)
    steps.open_video_calls(dashboard)
    dashboard.get_by_role("link", name="Microsoft Teams Dashboard").last.click()
    account = dashboard.get_by_label("Connected account").locator("strong").inner_text()

    choose_action(dashboard, "Disconnect")
    dashboard.get_by_role("button", name="Disconnect", exact=True).click()

    expect(dashboard.get_by_text("is disconnected.").first).to_be_visible()
    steps.open_video_calls(dashboard)
    # The other integration is the only one again, so its dashboard opens.
    expect(dashboard.get_by_label("Connected account").locator("strong")).not_to_have_text(account)


def test_steps_3_and_4_click_actions_then_disconnect(dashboard: Page) -> None:
    """Click Actions in the upper right of the screen. Click Disconnect"""
    choose_action(dashboard, "Disconnect")

    expect(dashboard.get_by_role("heading", level=1)).to_have_text("Disconnect Microsoft Teams")
    expect(dashboard.get_by_role("button", name="Disconnect", exact=True)).to_be_visible()


def test_step_5_click_disconnect_once_more_to_confirm(dashboard: Page, stack: Stack) -> None:
    """Click Disconnect once more to confirm"""
    status = "SELECT status FROM integrations_connection"
    choose_action(dashboard, "Disconnect")
    assert stack.sql(status) == [("connected",)]

    dashboard.get_by_role("button", name="Disconnect", exact=True).click()

    expect(dashboard.get_by_text("Microsoft Teams is disconnected.").first).to_be_visible()
    assert stack.sql(status) == [("disconnected",)]


def test_note_scheduled_appointments_are_not_impacted(connected: Connected, stack: Stack) -> None:
    """Disconnecting the integration does not impact previously scheduled appointments that included a Teams video
    call link.
    """
    page = connected.page
    steps.turn_on(page, connected.host)
    steps.book(page, **connected.booking)
    link = steps.expect_link(page)
    steps.open_video_calls(page)
    choose_action(page, "Disconnect")
    page.get_by_role("button", name="Disconnect", exact=True).click()
    expect(page.get_by_text("Microsoft Teams is disconnected.").first).to_be_visible()

    assert where_the_link_leads(page, stack) == link
    assert [meeting["join_web_url"] for meeting in steps.live_meetings(stack)] == [link]
