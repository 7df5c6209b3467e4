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


def connect_and_turn_on(page: Page, name: str = "Sam Okafor") -> None:
    """From the sign-in page to somebody who can host video appointments."""
    sign_in(page)
    connect(page)
    turn_on(page, name)


def fill_in_booking(
    page: Page,
    *,
    client: str = "Cleo Brandt",
    staff: str = "Sam Okafor",
    service: str = "Mortgage review",
) -> None:
    """The booking form, up to the button **Book**: the first free time of `staff` for a video call."""
    page.goto("/schedule/appointments/add/")
    page.get_by_label("Search clients").fill(client)
    page.get_by_role("radio", name=re.compile(client)).check()
    page.get_by_label("Service").select_option(label=service)
    page.get_by_role("radio", name="Video Call").check()
    page.get_by_label("Staff member").select_option(label=staff)
    page.get_by_role("group", name=re.compile("Free on|next are")).get_by_role("button").first.click()
    expect(page.get_by_label("Time")).not_to_have_value("")


def book(page: Page, **who: str) -> None:
    """Book a video appointment; ends on its page."""
    fill_in_booking(page, **who)
    page.get_by_role("button", name="Book", exact=True).last.click()
    page.wait_for_url(re.compile(r"/schedule/appointments/\d+/$"))


def expect_link(page: Page) -> str:
    """On an appointment's page: the link comes without a reload. Returns Teams' own link."""
    expect(page.get_by_text("The Teams link is ready.")).to_be_visible(timeout=30_000)
    return page.locator("#own-link").inner_text()


def move_to_next_free_time(page: Page) -> None:
    """On an appointment's page."""
    page.get_by_role("link", name="Move").click()
    page.get_by_role("group", name=re.compile("Free on|next are")).get_by_role("button").last.click()
    page.get_by_role("button", name="Move", exact=True).last.click()
    page.wait_for_url(re.compile(r"/schedule/appointments/\d+/$"))


def cancel_appointment(page: Page) -> None:
    """On an appointment's page."""
    page.get_by_role("link", name="Cancel appointment").click()
    page.get_by_role("button", name="Cancel appointment").click()
    page.wait_for_url(re.compile(r"/schedule/appointments/\d+/$"))
