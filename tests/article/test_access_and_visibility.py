"""The article's "A note on access and visibility"."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import new_context
from tests.journeys import steps
from tests.stack import Stack


def test_admins_can_connect_by_accessing_settings(ada: Page) -> None:
    """Admins can connect the Microsoft Teams integration by accessing Settings."""
    steps.open_video_calls(ada)

    expect(ada.get_by_role("link", name="Microsoft Teams")).to_be_visible()


@pytest.mark.parametrize("email", ["sky@maple.example", "sam@maple.example"])
def test_nobody_else_can(ada: Page, browser: Browser, stack: Stack, email: str) -> None:
    """Admins can connect the Microsoft Teams integration by accessing Settings."""
    page = new_context(browser, stack).new_page()
    steps.sign_in(page, email)

    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings")).to_have_count(0)
    for address in ("/settings/", "/settings/video-calls/", "/settings/video-calls/new/teams/"):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 403
    page.context.close()
