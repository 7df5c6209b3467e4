"""Two people using one browser one after the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import steps
from tests.stack import Stack


@pytest.fixture
def page(browser: Browser, chromium: str, stack: Stack) -> Iterator[Page]:
    """A page in a Chromium with the back/forward cache, which Playwright turns off by default."""
    keeps_pages = ["--disable-back-forward-cache"]
    other = browser.browser_type.launch(executable_path=chromium, ignore_default_args=keeps_pages)
    yield other.new_page(base_url=stack.url, locale="en-GB")
    other.close()


def go_back(page: Page) -> None:
    # Playwright's go_back waits for a load event, which a cached page never fires.
    page.evaluate("setTimeout(() => history.back())")


def test_after_signing_out_back_shows_no_data(page: Page) -> None:
    steps.sign_in(page)
    page.goto("/clients/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    go_back(page)

    page.wait_for_url("**/sign-in/?next=/clients/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_back_restores_a_half_filled_form(page: Page) -> None:
    steps.sign_in(page)
    page.goto("/schedule/appointments/add/")
    page.get_by_label("Notes").fill("Prefers mornings")
    page.get_by_role("link", name="Staff", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Staff")

    go_back(page)

    expect(page.get_by_label("Notes")).to_have_value("Prefers mornings")
