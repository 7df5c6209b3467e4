"""What people do in the browser, in the article's words."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from demo.logins import PASSWORD, TENANT_ID
from tests.stack import Stack

SERVICE_ACCOUNT = "Coconut Meetings"


def sign_in(page: Page, email: str = "ada@maple.example") -> None:
    page.goto("/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def open_video_calls(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Video Calls").click()


def begin_connecting(page: Page, tenant: str = TENANT_ID) -> None:
    """Up to Microsoft's page."""
    open_video_calls(page)
    page.get_by_role("link", name="Microsoft Teams").click()
    expect(page.get_by_role("radio", name="Email")).to_be_checked()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Microsoft Tenant ID").fill(tenant)
    page.get_by_role("button", name="Continue").click()


def accept(page: Page, account: str = SERVICE_ACCOUNT) -> None:
    """On Microsoft's pages: pick the account, then Accept."""
    page.get_by_role("button", name=re.compile(account)).first.click()
    page.get_by_role("button", name="Accept").click()


def connect(page: Page) -> None:
    begin_connecting(page)
    accept(page)
    expect(page.get_by_text("Microsoft Teams is connected.")).to_be_visible()


def turn_on(page: Page, name: str) -> None:
    """On the dashboard: wait for the match, then the switch."""
    row = page.get_by_role("row", name=re.compile(name))
    expect(row.get_by_text("Matched", exact=True)).to_be_visible()
    row.get_by_role("switch", name=f"Video Calls for {name}").click()
    expect(row.get_by_role("switch")).to_have_attribute("aria-checked", "true")


def live_meetings(stack: Stack) -> list[dict[str, object]]:
    """What Microsoft has, without what was deleted."""
    return [meeting for meeting in stack.simulator_state()["meetings"] if not meeting["deleted"]]
