"""Pages during an outage: booking works, and the link follows. `tests/faults` checks the data."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import steps
from tests.stack import Stack
from tests.start_states import Start

CREATE = r"onlineMeetings/createOrGet"


@pytest.fixture
def start(ada_hosting: Start) -> Start:
    return ada_hosting


@pytest.fixture
def connected(stack: Stack) -> Stack:
    """Maple, connected, with Sam able to host."""
    return stack


def meetings_made(stack: Stack) -> int:
    """Return all meetings at Microsoft, including deleted ones."""
    return len(stack.simulator_state()["meetings"])


def test_booking_works_while_microsoft_is_down_and_the_link_follows(page: Page, connected: Stack) -> None:
    connected.control("fault", kind="graph_down")
    steps.book(page)
    expect(page.get_by_text("Creating the Microsoft Teams link…")).to_be_visible()

    connected.control("clear-faults")

    steps.expect_link(page)
    assert meetings_made(connected) == 1


def test_booking_works_while_the_broker_is_down_and_the_link_follows(page: Page, connected: Stack) -> None:
    steps.fill_in_booking(page)
    connected.broker.stop()
    page.get_by_role("button", name="Book", exact=True).last.click()
    expect(page.get_by_text("Creating the Microsoft Teams link…")).to_be_visible()

    connected.broker.start()
    # If the broker stops just as a task ends, kombu ends the worker; its supervisor starts another.
    connected.start("worker")

    steps.expect_link(page)
    assert meetings_made(connected) == 1


def test_a_move_during_the_creation_of_the_meeting_ends_at_the_new_time(page: Page, connected: Stack) -> None:
    connected.control("fault", kind="latency", regex=CREATE, ms=2000, count=1)
    steps.book(page)
    steps.move_to_next_free_time(page)

    steps.expect_link(page)
    wanted = "SELECT starts_at FROM appointments_appointment ORDER BY created_at DESC LIMIT 1"
    start = connected.sql(wanted)[0][0].strftime("%Y-%m-%dT%H:%M:%S")
    connected.wait_until(lambda: str(steps.live_meetings(connected)[0]["start"]).startswith(start))
    assert meetings_made(connected) == 1
