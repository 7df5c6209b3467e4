"""The article's "A note on access and visibility"."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.article.clicks import click_through_to_video_calls
from tests.article.conftest import DASHBOARD, WIZARD
from tests.journeys import steps


def test_admins_can_connect_by_accessing_settings(ada: Page) -> None:
    """Admins can connect the Microsoft Teams integration by accessing Settings."""
    click_through_to_video_calls(ada)

    expect(ada.get_by_role("link", name="Microsoft Teams")).to_be_visible()


@pytest.mark.parametrize("email", ["sky@maple.example", "sam@maple.example"])
def test_other_roles_cannot(ada: Page, email: str) -> None:
    """Admins can connect the Microsoft Teams integration by accessing Settings."""
    page = ada
    page.context.clear_cookies()
    steps.sign_in(page, email)

    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings")).to_have_count(0)
    for address in ("/settings/", DASHBOARD, WIZARD):
        assert page.request.get(address).status == 403
