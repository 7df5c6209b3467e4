"""What people see during trouble: they book as ever, and the link comes. What is true afterwards: `tests/faults`."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import steps
from tests.stack import Stack
from tests.starts import Start

CREATE = r"onlineMeetings/createOrGet"


@pytest.fixture
def start(ada_hosting: Start) -> Start:
    return ada_hosting


@pytest.fixture
def connected(stack: Stack) -> Stack:
    """Maple is connected and Sam can host."""
    return stack


def meetings_made(stack: Stack) -> int:
    """Every meeting that Microsoft ever had, deleted ones included."""
    return len(stack.simulator_state()["meetings"])


def test_booking_goes_on_while_microsoft_is_down_and_the_link_follows(page: Page, connected: Stack) -> None:
    connected.control("fault", kind="graph_down")
    steps.book(page)
    expect(page.get_by_text("Creating the Microsoft Teams link…")).to_be_visible()

    connected.control("clear-faults")

    steps.expect_link(page)
    assert meetings_made(connected) == 1


def test_booking_goes_on_while_the_broker_is_down_and_the_link_follows(page: Page, connected: Stack) -> None:
    steps.fill_in_booking(page)
    connected.broker.stop()
    page.get_by_role("button", name="Book", exact=True).last.click()
    expect(page.get_by_text("Creating the Microsoft Teams link…")).to_be_visible()

    connected.broker.start()
    # A worker that ends a task just when its broker goes ends itself, in kombu; its supervisor starts another.
    connected.start("worker")

    steps.expect_link(page)
    assert meetings_made(connected) == 1


def test_a_move_while_the_meeting_is_being_made_ends_at_the_new_time(page: Page, connected: Stack) -> None:
    connected.control("fault", kind="latency", regex=CREATE, ms=2000, count=1)
    steps.book(page)
    steps.move_to_next_free_time(page)

    steps.expect_link(page)
    wanted = "SELECT starts_at FROM appointments_appointment ORDER BY created_at DESC LIMIT 1"
    start = connected.sql(wanted)[0][0].strftime("%Y-%m-%dT%H:%M:%S")
    connected.wait_until(lambda: str(steps.live_meetings(connected)[0]["start"]).startswith(start))
    assert meetings_made(connected) == 1
