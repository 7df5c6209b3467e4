"""Steps in the browser, named in the words of the article."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import FrameLocator, Locator, Page, expect

from demo.logins import PASSWORD, TENANT_ID
from tests.stack import Stack

SERVICE_ACCOUNT = "Coconut Meetings"
GLOBAL_ADMINISTRATOR = "Gail Adams"


def sign_in(page: Page, email: str = "ada@maple.example", *, then: str = "/") -> None:
    """Sign in and open `then`. The form itself is sent, not shown: `test_operator` fills it in."""
    browser = page.context.request
    browser.get("/sign-in/")
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie.get("name") == "coconut_csrf")
    answer = browser.post(
        "/sign-in/",
        form={"username": email, "password": PASSWORD, "csrfmiddlewaretoken": token},
        max_redirects=0,
    )
    assert answer.status == 302, answer.text()
    page.goto(then)
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def sign_in_as_operator(page: Page) -> None:
    """Fill in the form that Django admin shows to a visitor."""
    page.get_by_label("Email").fill("olive@operator.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def open_video_calls(page: Page) -> None:
    """Open the page of the article's steps 1 and 2."""
    page.goto("/settings/video-calls/")


def begin_connecting(page: Page, tenant: str = TENANT_ID) -> None:
    """Do the steps up to Microsoft's page."""
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


def connect_by_policy(page: Page) -> None:
    """Do all twelve steps of the Application Access Policy method."""
    leave_by_policy(page)
    accept(page, GLOBAL_ADMINISTRATOR)
    expect(page.get_by_text("Microsoft Teams is connected.")).to_be_visible()


def leave_by_policy(page: Page) -> None:
    """Do the steps up to Microsoft's page."""
    open_video_calls(page)
    page.get_by_role("link", name="Microsoft Teams").click()
    page.get_by_role("checkbox", name=re.compile("I have created or updated")).check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Microsoft Tenant ID").fill(TENANT_ID)
    page.get_by_role("button", name="Continue").click()


def turn_on(page: Page, name: str) -> None:
    """On the dashboard, wait for the match, then turn Video Calls on."""
    row = page.get_by_role("row", name=re.compile(name))
    expect(row.get_by_text("Matched", exact=True)).to_be_visible()
    row.get_by_role("switch", name=f"Video Calls for {name}").click()
    expect(row.get_by_role("switch")).to_have_attribute("aria-checked", "true")


def live_meetings(stack: Stack) -> list[dict[str, Any]]:
    """Return the meetings at Microsoft that are not deleted."""
    return [meeting for meeting in stack.simulator_state()["meetings"] if not meeting["deleted"]]


def person(stack: Stack, upn: str) -> dict[str, str]:
    """Return a user of the simulated tenant."""
    return next(person for person in stack.simulator_state()["people"] if person["upn"] == upn)


def hosts(meeting: dict[str, Any]) -> list[str]:
    """Return the object ids of the meeting's attendees."""
    return [attendee["identity"]["user"]["id"] for attendee in meeting["attendees"]]


def connect_and_turn_on(page: Page, name: str = "Sam Okafor") -> None:
    """Sign in, connect Teams, and turn Video Calls on for a staff member."""
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
    """Fill in the booking form with the first free time of `staff` for a video call, tomorrow or later.

    A free time of today could begin while the test runs.
    """
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    page.goto(f"/schedule/appointments/add/?date={tomorrow}")
    page.get_by_label("Search clients").fill(client)
    page.get_by_role("radio", name=re.compile(client)).check()
    page.get_by_label("Service").select_option(label=service)
    page.get_by_role("radio", name="Video Call").check()
    page.get_by_label("Staff member").select_option(label=staff)
    page.get_by_role("group", name=re.compile("Free on|next are")).get_by_role("button").first.click()
    expect(page.get_by_label("Time")).not_to_have_value("")


def book(page: Page, **who: str) -> None:
    """Book a video appointment and open its page."""
    fill_in_booking(page, **who)
    page.get_by_role("button", name="Book", exact=True).last.click()
    page.wait_for_url(re.compile(r"/schedule/appointments/\d+/$"))


def expect_link(page: Page) -> str:
    """Wait for the link on an appointment page without a reload, and return the Teams link."""
    expect(page.get_by_text("The Microsoft Teams link is ready.")).to_be_visible()
    return page.locator("#own-link").inner_text()


def move_to_next_free_time(page: Page) -> None:
    """Move the appointment whose page is open to the last time that the form offers."""
    page.get_by_role("link", name="Move").click()
    page.get_by_role("group", name=re.compile("Free on|next are")).get_by_role("button").last.click()
    page.get_by_role("button", name="Move", exact=True).last.click()
    page.wait_for_url(re.compile(r"/schedule/appointments/\d+/$"))


def cancel_appointment(page: Page) -> None:
    """Cancel the appointment whose page is open."""
    page.get_by_role("link", name="Cancel appointment").click()
    page.get_by_role("button", name="Cancel appointment").click()
    page.wait_for_url(re.compile(r"/schedule/appointments/\d+/$"))


def join(page: Page, place: Page | Locator) -> str:
    """Press the button to join that stands in `place`; the address of the meeting that it opens at Microsoft."""
    with page.context.expect_page() as opened:
        place.get_by_role("link", name="Join Microsoft Teams meeting").click()
    opened.value.wait_for_url(re.compile(r"/meet/\d+\?p="))
    address = opened.value.url
    opened.value.close()
    return address


def choose_a_video_call(page: Page | FrameLocator) -> None:
    """As a client: Mortgage review, by video, the last free time of the first free day.

    Late in the day only one time may be left.
    """
    page.get_by_role("link", name=re.compile("Mortgage review")).click()
    page.get_by_role("link", name=re.compile("Video Call")).click()
    page.locator(".free-times a").last.click()


def book_as_client(page: Page | FrameLocator) -> None:
    """As a client, who has chosen the time: say who it is, and book."""
    page.get_by_label("Your name").fill("Dora 😀 Winter")
    page.get_by_label("Email").fill("dora@example.com")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_role("heading", name="Your appointment is booked.")).to_be_visible()
