"""From an empty organisation to the first client at the right door, by clicks only."""

from __future__ import annotations

import re
from datetime import datetime
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser import new_context, traced, watched_page
from tests.journeys import steps
from tests.stack import Stack

PASSWORD = "maple-river-42-sunrise"
PHONE: ViewportSize = {"width": 390, "height": 844}


def test_an_empty_organisation_gets_its_first_client_to_the_right_door(
    page: Page, browser: Browser, stack: Stack, request: pytest.FixtureRequest
) -> None:
    invitation = create_organization(page, stack)
    accept_invitation(page, invitation)
    describe_organization(page)
    add_location(page, "Vancouver West", "500 Granville Street", "Vancouver", "V6C 1W6", "America/Vancouver")
    close_on_holidays(page)
    add_location(page, "Calgary Tower", "101 9 Avenue SW", "Calgary", "T2P 1J9", "America/Edmonton")
    add_service_in_person(page)
    add_person(page, "Vera", "Wong", "Vancouver West")
    add_person(page, "Carl", "Roy", "Calgary Tower")

    phone = browser.new_context(
        base_url=stack.url, viewport=PHONE, timezone_id="America/Halifax", reduced_motion="reduce"
    )
    with traced(phone, request) as context, watched_page(context) as client:
        day = book_at_branch(client)
    confirmation = text_of(last_email(stack, "cleo@example.com"))
    assert "500 Granville Street, Vancouver" in confirmation
    assert re.search(r"9:00\sAM – 9:30\sAM, Vancouver time", confirmation)

    close_branch_and_leave_appointment(page, day)
    move_out_of_closing(page)
    stack.wait_until(lambda: "moved" in last_email(stack, "cleo@example.com")["Subject"])


def create_organization(page: Page, stack: Stack) -> str:
    """As the operator: add the organisation; the link of its first admin's invitation."""
    context = page.context.browser
    assert context is not None
    operator = new_context(context, stack)
    admin_site = operator.new_page()
    admin_site.goto("/operator/")
    steps.sign_in_as_operator(admin_site)
    admin_site.get_by_role("link", name="Organisations", exact=True).first.click()
    admin_site.get_by_role("link", name="Add organisation").click()
    admin_site.get_by_label("Name:").first.press_sequentially("Birch Bank")
    admin_site.locator("#id_time_zone").select_option("America/Vancouver")
    admin_site.get_by_label("First admin: first name").fill("Bea")
    admin_site.get_by_label("First admin: email").fill("bea@birch.example")
    admin_site.get_by_role("button", name="Save", exact=True).click()
    expect(admin_site.get_by_text("An invitation to bea@birch.example is on its way.")).to_be_visible()
    operator.close()
    link = re.search(r"http\S+/password/invitation/\S+", text_of(last_email(stack, "bea@birch.example")))
    assert link is not None
    return link[0]


def accept_invitation(page: Page, invitation: str) -> None:
    """As the first admin: set a password and sign in with it."""
    page.goto(invitation)
    page.get_by_label("New password").first.fill(PASSWORD)
    page.get_by_label("New password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Email").fill("bea@birch.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/schedule/")
    expect(page.get_by_text("Appointments appear here once clients can book.")).to_be_visible()


def describe_organization(page: Page) -> None:
    """Set the phone number and the clock in Settings > Organisation."""
    open_settings(page, "Organisation")
    page.get_by_label("Phone for clients").fill("604 555 0100")
    page.get_by_label("Clock").select_option(label="12 hours, such as 2:30 PM")
    save(page)


def add_location(page: Page, name: str, street: str, city: str, postal_code: str, zone: str) -> None:
    """Add a location that is open every day from 9 to 5; its page with the hours stays open."""
    open_settings(page, "Locations")
    page.get_by_role("link", name=re.compile("^Add")).first.click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Street and number").fill(street)
    page.get_by_label("City").fill(city)
    page.get_by_label("Postal code").fill(postal_code)
    page.get_by_label("Time zone").select_option(zone)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. Now add the opening hours.")).to_be_visible()
    fill_in_week(page)


def close_on_holidays(page: Page) -> None:
    """Close the location whose page is open on its province's holidays."""
    location = page.get_by_role("navigation", name="Location")
    location.get_by_role("link", name="Holidays").click()
    page.get_by_label("Country").select_option(label="Canada")
    page.get_by_label("Region").select_option(label="British Columbia")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Christmas Day")).to_be_checked()
    save(page)
    expect(location.get_by_role("link", name="Holidays")).to_have_attribute("aria-current", "page")


def add_service_in_person(page: Page) -> None:
    """Add a service that clients book at a location or by phone; video stays off."""
    main_menu(page, "Services")
    page.get_by_role("link", name=re.compile("^Add")).first.click()
    page.get_by_label("Name", exact=False).first.fill("Account opening")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("At location", exact=True).check()
    page.get_by_label("Phone Call", exact=True).check()
    expect(page.get_by_label("Video Call", exact=True)).not_to_be_checked()
    save(page)


def add_person(page: Page, first_name: str, last_name: str, location: str) -> None:
    """Add a person of a location with hours and the service."""
    main_menu(page, "Staff")
    page.get_by_role("link", name="Add", exact=True).click()
    page.get_by_label("First name").fill(first_name)
    page.get_by_label("Last name").fill(last_name)
    page.get_by_label("Email").fill(f"{first_name.lower()}@birch.example")
    page.get_by_label("Location").select_option(label=location)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. Now add the working hours.")).to_be_visible()
    fill_in_week(page)
    tabs = page.get_by_role("navigation", name="Staff member")
    tabs.get_by_role("link", name="Services").click()
    page.get_by_label("Account opening").check()
    save(page)


def fill_in_week(page: Page) -> None:
    """Enter 9 to 5 on Monday, copy it to the other days and save."""
    page.get_by_label("Monday, from (1)").fill("09:00")
    page.get_by_label("Monday, to (1)").fill("17:00")
    page.get_by_text("Copy hours to other days").click()
    page.get_by_label("Saturday", exact=True).check()
    page.get_by_label("Sunday", exact=True).check()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_label("Sunday, to (1)")).to_have_value("17:00")
    save(page)


def book_at_branch(client: Page) -> str:
    """As a client on a phone: book the first time of next month in Vancouver; the day as YYYY-MM-DD."""
    client.goto("/book/birch-bank/")
    client.get_by_role("link", name=re.compile("Account opening")).click()
    client.get_by_role("link", name=re.compile("At location")).click()
    client.get_by_role("link", name=re.compile("Vancouver West 500 Granville Street, Vancouver")).click()
    client.get_by_role("link", name="Month after").click()
    client.locator(".free-times a").first.click()
    chosen = client.get_by_role("list", name="What you chose")
    expect(chosen).to_contain_text("500 Granville Street, Vancouver")
    expect(chosen).to_contain_text("Vancouver time")
    client.get_by_label("Your name").fill("Cleo Brandt")
    client.get_by_label("Email").fill("cleo@example.com")
    client.get_by_role("button", name="Book", exact=True).click()
    expect(client.get_by_role("heading", name="Your appointment is booked.")).to_be_visible()
    booked = client.get_by_role("main")
    expect(booked).to_contain_text("500 Granville Street")
    expect(booked).to_contain_text("9:00 AM – 9:30 AM")
    expect(booked).to_contain_text("Vancouver time")
    expect(booked).to_contain_text("Vera Wong")
    assert client.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    day = re.search(r"\d{1,2} [A-Z][a-z]+ \d{4}", " ".join(booked.inner_text().split()))
    assert day is not None
    return datetime.strptime(day[0], "%d %B %Y").date().isoformat()  # noqa: DTZ007 - a date without a time


def close_branch_and_leave_appointment(page: Page, day: str) -> None:
    """Close Vancouver on the day of the appointment, which is listed first, and leave it as it is."""
    open_settings(page, "Closings")
    page.get_by_label("First day").fill(day)
    page.get_by_label("Calgary Tower", exact=True).uncheck()
    page.get_by_label("Name", exact=True).fill("Water damage")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="This change concerns 1 booked appointment")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Cleo Brandt"))).to_contain_text("Vera Wong")
    page.get_by_role("button", name="Save and leave them").click()
    expect(page.get_by_text("Saved. 1 appointment needs attention.")).to_be_visible()


def move_out_of_closing(page: Page) -> None:
    """Find the appointment in the list, and move it to the next free time."""
    main_menu(page, "Schedule")
    page.get_by_role("link", name=re.compile("Needs attention")).click()
    page.get_by_role("link", name="Account opening for Cleo Brandt").click()
    expect(page.get_by_text("Needs attention:")).to_be_visible()
    page.get_by_role("link", name="Move", exact=True).click()
    page.get_by_role("group", name=re.compile("The next are")).get_by_role("button").first.click()
    page.get_by_role("button", name="Move", exact=True).last.click()
    expect(page.get_by_text("Needs attention:")).to_have_count(0)
    main_menu(page, "Schedule")
    page.get_by_role("link", name=re.compile("Needs attention")).click()
    expect(page.get_by_text("Nothing needs attention.")).to_be_visible()


def open_settings(page: Page, name: str) -> None:
    """Open a page of the settings by its tile."""
    main_menu(page, "Settings")
    page.get_by_role("main").get_by_role("link", name=re.compile(f"^{name}")).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def main_menu(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()


def last_email(stack: Stack, address: str) -> EmailMessage:
    """Wait for an email to `address`, and return the last one."""

    def found() -> list[EmailMessage]:
        return [message for message in stack.emails() if address in message["To"]]

    stack.wait_until(found)
    return found()[-1]


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    content: str = body.get_content()
    return content
