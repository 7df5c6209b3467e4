"""The whole article: from a new installation to a client in a Teams meeting."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.journeys import steps
from tests.stack import Stack
from tests.start_states import OpenPage, Start


def test_an_admin_connects_teams_and_a_client_joins_by_the_appointments_own_link(
    page: Page, browser: Browser, stack: Stack
) -> None:
    steps.sign_in(page)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()
    steps.connect(page)
    expect(page.get_by_label("Connected account")).to_contain_text("coconut-meetings@contoso.example")
    expect(page.get_by_role("switch")).to_have_count(12)
    expect(page.get_by_role("switch", checked=True)).to_have_count(0)

    # Enable the integration for users.
    steps.turn_on(page, "Sam Okafor")

    # Modify the video service provider for a staff member.
    page.get_by_role("link", name="Staff", exact=True).click()
    page.get_by_role("row", name=re.compile("Sam Okafor")).get_by_role("link", name="Profile").click()
    platform = page.get_by_label("Video Calls Platform")
    expect(platform.locator("option:checked")).to_have_text("Organisation default (Microsoft Teams)")
    platform.select_option(label="Microsoft Teams")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()

    # Set services to include video calls.
    page.get_by_role("link", name="Services", exact=True).first.click()
    page.get_by_role("row", name=re.compile("Account opening")).get_by_role("link", name="More").click()
    page.get_by_role("group", name="Meeting Method").get_by_role("checkbox", name="Video Call").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Phone Call")).to_be_checked()

    # Book, and join as the client does: by the link in the email.
    stack.control("fault", kind="latency", path="/v1.0/me/onlineMeetings", ms=1500)
    steps.book(page)
    expect(page.get_by_text("Creating the Microsoft Teams link…")).to_be_visible()
    teams_link = steps.expect_link(page)
    [meeting] = steps.live_meetings(stack)
    assert meeting["join_web_url"] == teams_link
    client = browser.new_context(base_url=stack.url).new_page()
    client.goto(join_link_in_mail(stack))
    assert client.url == teams_link


def join_link_in_mail(stack: Stack) -> str:
    """Return the join link in the first email to Cleo."""

    def mails_to_cleo() -> list[str]:
        return [
            str(part.get_content())
            for mail in stack.emails()
            if "cleo" in str(mail["To"])
            for part in mail.walk()
            if part.get_content_type() == "text/plain"
        ]

    stack.wait_until(mails_to_cleo)
    found = re.search(r"http\S+/join/\S+", mails_to_cleo()[0])
    assert found is not None, mails_to_cleo()[0]
    return found[0]


def test_a_move_keeps_the_link_and_a_cancellation_deletes_the_meeting(
    stack: Stack, open_page: OpenPage, ada_hosting: Start
) -> None:
    page = open_page(ada_hosting)
    steps.book(page)
    link = steps.expect_link(page)
    before = steps.live_meetings(stack)[0]["start"]

    steps.move_to_next_free_time(page)
    stack.wait_until(lambda: steps.live_meetings(stack)[0]["start"] != before)
    assert steps.expect_link(page) == link

    join = page.get_by_role("link", name="Join Microsoft Teams meeting").get_attribute("href")
    steps.cancel_appointment(page)
    stack.wait_until(lambda: steps.live_meetings(stack) == [])
    assert join is not None
    page.goto(join)
    expect(page.get_by_text("cancelled")).to_be_visible()
