"""Three places to book: each gives an appointment its own Teams link and opens it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import new_context, watched_page
from tests.journeys import steps
from tests.stack import Stack
from tests.start_states import Start


@pytest.fixture
def start(ada_hosting: Start) -> Start:
    return ada_hosting


def through_the_schedule(page: Page) -> str:
    """Book there, join from the panel of the schedule, and return the page that opens."""
    steps.book(page)
    booked = page.url.rstrip("/").rpartition("/")[2]
    page.goto(f"/schedule/?appointment={booked}")
    panel = page.locator("#panel")
    expect(panel.get_by_text("The Microsoft Teams link is ready.")).to_be_visible()
    return steps.join(page, panel)


def through_the_contact_center(page: Page) -> str:
    """Book there, join from the confirmation page, and return the page that opens."""
    page.goto("/contact-center/")
    page.get_by_label("Search clients").fill("cleo")
    page.get_by_role("radio", name=re.compile("Cleo Brandt")).check()
    page.get_by_label("Service").select_option(label="Mortgage review")
    page.get_by_role("radio", name="Video Call").check()
    page.locator(".free-time").first.click()
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_role("heading", name="The appointment is booked.")).to_be_visible()
    expect(page.get_by_text("The Microsoft Teams link is ready.")).to_be_visible()
    return steps.join(page, page)


def through_the_client_view(page: Page, stack: Stack) -> str:
    """Book there as a client, join from the client's own page, which the email links to; return the page that opens."""
    page.goto("/book/maple/")
    steps.choose_a_video_call(page)
    steps.book_as_client(page)
    expect(page.get_by_role("link", name="Move")).to_have_count(0)
    stack.wait_until(lambda: [email for email in stack.emails() if email["To"] == "dora@example.com"])
    (email,) = [email for email in stack.emails() if email["To"] == "dora@example.com"]
    text = next(part.get_content() for part in email.walk() if part.get_content_type() == "text/plain")
    (own,) = re.findall(rf"{stack.url}/appointments/\S+/(?=\s)", text)
    page.goto(own)
    stack.wait_until(lambda: len(steps.live_meetings(stack)) == 3)
    return steps.join(page, page)


def test_each_place_books_a_video_appointment_with_its_own_teams_link_and_opens_it(
    page: Page, browser: Browser, stack: Stack
) -> None:
    opened = [through_the_schedule(page), through_the_contact_center(page)]
    client = new_context(browser, stack)
    with watched_page(client) as theirs:
        opened.append(through_the_client_view(theirs, stack))

    assert client.cookies(stack.url) == []
    client.close()
    assert len(set(opened)) == 3
    assert set(opened) == {meeting["join_web_url"] for meeting in steps.live_meetings(stack)}
    ways = stack.sql("SELECT booked_through FROM appointments_appointment ORDER BY id DESC LIMIT 3")
    assert [through for (through,) in ways] == ["client_view", "contact_center", "schedule"]
