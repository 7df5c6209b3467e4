"""The schedule's columns, which a script draws."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import steps
from tests.stack import Stack

MAPLE = ZoneInfo("America/Toronto")


def open_schedule(page: Page, day: str) -> None:
    steps.sign_in(page)
    page.goto(f"/schedule/?date={day}")
    expect(page.locator("#calendar .ec-event.booked").first).to_be_visible()


def first_appointment(stack: Stack, staff: str) -> tuple[str, str, int]:
    """Somebody's seeded appointment on some day: the day, the client and its id."""
    query = (
        "SELECT a.id, a.starts_at, c.name FROM appointments_appointment a"
        " JOIN staff_staffmember s ON s.id = a.staff_id JOIN appointments_client c ON c.id = a.client_id"
        " WHERE s.email = %s ORDER BY a.starts_at LIMIT 1"
    )
    [(pk, starts_at, client)] = stack.sql(query, staff)
    return starts_at.astimezone(MAPLE).date().isoformat(), client, pk


def test_a_click_on_an_appointment_opens_it(page: Page, stack: Stack) -> None:
    day, client, pk = first_appointment(stack, "sam@maple.example")
    open_schedule(page, day)

    page.locator("#calendar .ec-event.booked", has_text=client.split()[0]).first.click()

    page.wait_for_url(re.compile(rf"\bappointment={pk}\b"))
    expect(page.get_by_role("heading", name=client)).to_be_visible()


@pytest.mark.parametrize("zone", ["America/Toronto", "Asia/Tokyo"])
def test_the_present_moment_is_drawn_only_where_the_browsers_clock_is_the_schedules(
    browser: Browser, stack: Stack, zone: str
) -> None:
    context = browser.new_context(base_url=stack.url, timezone_id=zone)
    page = context.new_page()
    noon = datetime.now(MAPLE).replace(hour=12, minute=0, second=0, microsecond=0)
    page.clock.set_fixed_time(noon)
    steps.sign_in(page)
    page.goto("/schedule/")
    expect(page.locator("#calendar .ec-body").first).to_be_visible()

    shown = page.locator(".ec-now-indicator").count()

    context.close()
    assert shown == (1 if zone == "America/Toronto" else 0)
