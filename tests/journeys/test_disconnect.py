"""Disconnect: existing links keep working."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from demo.logins import TENANT_ID
from tests.journeys import steps
from tests.stack import Stack
from tests.start_states import Start

JOIN_TOKEN = "SELECT join_token FROM appointments_appointment ORDER BY created_at DESC LIMIT 1"


@pytest.fixture
def start(ada_hosting: Start) -> Start:
    return ada_hosting


def test_a_booked_link_keeps_working_after_a_disconnect_and_the_same_account_connects_again(
    page: Page, stack: Stack
) -> None:
    steps.book(page)
    link = steps.expect_link(page)
    join = f"/join/{stack.sql(JOIN_TOKEN)[0][0]}"

    steps.open_video_calls(page)
    page.get_by_text("Actions", exact=True).click()
    page.get_by_role("link", name="Disconnect", exact=True).click()
    expect(page.get_by_text("1 upcoming appointment keeps its link.")).to_be_visible()
    page.get_by_role("button", name="Disconnect", exact=True).click()

    expect(page.get_by_text("Microsoft Teams is disconnected.")).to_be_visible()
    expect(page.get_by_text("people have no video platform")).to_be_visible()
    answer = page.request.get(join, max_redirects=0)
    assert (answer.status, answer.headers["location"]) == (302, link)

    page.get_by_role("link", name="Connect Microsoft Teams again").click()
    page.get_by_role("link", name="Connect again").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Microsoft Tenant ID").fill(TENANT_ID)
    page.get_by_role("button", name="Continue").click()
    # Microsoft remembers the consent and skips the Accept page.
    page.get_by_role("button", name=re.compile(steps.SERVICE_ACCOUNT)).first.click()

    expect(page.get_by_text("Microsoft Teams is connected.")).to_be_visible()
    sam = page.get_by_role("row", name=re.compile("Sam Okafor"))
    expect(sam.get_by_role("switch")).to_have_attribute("aria-checked", "true")
