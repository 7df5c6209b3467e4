"""A service account that was deleted and created again at Microsoft, in the browser with real workers."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from demo.logins import TENANT_ID
from simulator import people
from tests.journeys import steps
from tests.stack import Stack
from tests.start_states import Start


@pytest.fixture
def start(ada_hosting: Start) -> Start:
    return ada_hosting


def reauthorize(page: Page) -> None:
    """Reauthorize under the name of the service account, and accept the permissions."""
    page.goto("/settings/video-calls/teams/1/reauthorize/")
    page.get_by_label("Azure Tenant ID").fill(TENANT_ID)
    page.get_by_role("button", name="Start Reauthorization").click()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Accept").click()


def test_the_booked_meeting_moves_to_the_new_account(page: Page, stack: Stack) -> None:
    steps.book(page)
    appointment, former = page.url, steps.expect_link(page)
    stack.control("person", user=people.SERVICE_ACCOUNT, recreate=True)

    reauthorize(page)
    expect(page.get_by_text("1 upcoming meeting is created again under the new account.")).to_be_visible()
    page.get_by_role("button", name="Use the new account").click()

    expect(page.get_by_text("Microsoft Teams is reauthorized with the new account.")).to_be_visible()
    new_id = steps.person(stack, people.SERVICE_ACCOUNT)["id"]
    stack.wait_until(lambda: new_id in {meeting["organizer_id"] for meeting in steps.live_meetings(stack)})
    page.goto(appointment)
    current = steps.expect_link(page)
    assert current != former


def test_the_page_fits_a_phone_and_is_accessible(page: Page, stack: Stack) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    stack.control("person", user=people.SERVICE_ACCOUNT, recreate=True)
    stack.control("person", user=people.SERVICE_ACCOUNT, licensed=False)
    reauthorize(page)
    expect(page.get_by_text("Microsoft shows no Microsoft Teams licence")).to_be_visible()

    width = page.evaluate("document.documentElement.scrollWidth")
    found = Axe().run(page)

    assert (width, found.response["violations"]) == (390, [])
