"""Clicks of the article, in addition to the steps shared by all journeys."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from demo.logins import TENANT_ID
from tests.journeys import steps
from tests.stack import Stack

JOIN_TOKEN = "SELECT join_token FROM appointments_appointment ORDER BY created_at DESC LIMIT 1"


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Continue").click()


def click_through_to_video_calls(page: Page) -> None:
    """Do the first two steps of every chapter, starting from another page."""
    page.goto("/schedule/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Video Calls").click()


def open_policy_page(page: Page) -> None:
    """Do steps 1 to 3 of the Application Access Policy method."""
    steps.open_video_calls(page)
    page.get_by_role("link", name="Microsoft Teams").click()


def acknowledge(page: Page) -> None:
    """Do steps 5 and 6."""
    page.get_by_role("checkbox", name=re.compile("I have created or updated")).check()
    go_on(page)


def row_of(page: Page, name: str) -> Locator:
    return page.get_by_role("row", name=re.compile(name))


def expect_status(page: Page, name: str, status: str) -> None:
    """Expect this status on the open dashboard."""
    expect(row_of(page, name).locator(".status")).to_have_text(status)


def switch_of(page: Page, name: str) -> Locator:
    return page.get_by_role("switch", name=f"Video Calls for {name}")


def names(page: Page) -> list[str]:
    """Return the Coconut users of the table, in its order."""
    return page.locator("#users tbody th a").all_inner_texts()


def choose_action(page: Page, name: str) -> None:
    """Open Actions on the dashboard and choose one of them."""
    page.get_by_text("Actions", exact=True).click()
    page.get_by_role("listitem").get_by_role("link", name=name, exact=True).click()


def status_of(page: Page, name: str) -> str:
    """Open the dashboard again and return the status."""
    steps.open_video_calls(page)
    return row_of(page, name).locator(".status").inner_text()


def add_second_integration(page: Page) -> None:
    """Connect another account of the same tenant, from the dashboard."""
    page.get_by_role("link", name="+ New").click()
    page.get_by_role("link", name="Microsoft Teams", exact=True).click()
    go_on(page)
    page.get_by_label("Microsoft Tenant ID").fill(TENANT_ID)
    go_on(page)
    steps.accept(page, "Uma Jensen")
    expect(page.get_by_text("Microsoft Teams is connected.")).to_be_visible()


def where_the_link_leads(page: Page, stack: Stack) -> str:
    """Return the address to which the join link of the latest appointment redirects."""
    answer = page.request.get(f"/join/{stack.sql(JOIN_TOKEN)[0][0]}", max_redirects=0)
    return answer.headers["location"]
