"""Whatever Microsoft, the network, the broker or a killed worker does: exactly one meeting, and the link comes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import steps
from tests.stack import Stack
from tests.starts import Start

CREATE = r"onlineMeetings/createOrGet"
WAITING = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE%meeting%'"


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


def is_claimed(stack: Stack) -> bool:
    return stack.sql("SELECT count(*) FROM integrations_meeting WHERE lease_token IS NOT NULL") == [(1,)]


def test_a_worker_killed_between_microsofts_answer_and_the_write_makes_no_second_meeting(
    page: Page, connected: Stack
) -> None:
    connected.control("fault", kind="latency", regex=CREATE, ms=1500, count=1)
    steps.book(page)
    connected.wait_until(lambda: is_claimed(connected))

    # A worker that comes back with the answer waits here.
    with connected.holding("SELECT 1 FROM integrations_meeting FOR UPDATE"):
        connected.wait_until(lambda: waits_for_the_row(connected))
        assert meetings_made(connected) == 1
        connected.kill("worker")
        # What the dead worker had sent to the database dies with it, as when its machine loses power.
        connected.sql(f"SELECT pg_terminate_backend(pid) {WAITING}")
    assert connected.sql("SELECT remote_id FROM integrations_meeting") == [("",)]
    connected.start("worker")

    steps.expect_link(page)
    assert meetings_made(connected) == 1


def waits_for_the_row(stack: Stack) -> bool:
    """Whether a worker has Microsoft's answer and wants to write it."""
    return stack.sql(f"SELECT count(*) {WAITING}") == [(1,)]


def test_a_worker_killed_while_microsoft_works_makes_no_second_meeting(page: Page, connected: Stack) -> None:
    connected.control("fault", kind="slow", regex=CREATE, seconds=2, count=1)
    steps.book(page)
    connected.wait_until(lambda: meetings_made(connected) == 1)

    connected.kill("worker")
    connected.start("worker")

    steps.expect_link(page)
    assert meetings_made(connected) == 1


def test_booking_goes_on_while_microsoft_is_down_and_the_link_follows(page: Page, connected: Stack) -> None:
    connected.control("fault", kind="graph_down")
    steps.book(page)
    expect(page.get_by_text("Creating the Teams link…")).to_be_visible()

    connected.control("clear-faults")

    steps.expect_link(page)
    assert meetings_made(connected) == 1


def test_booking_goes_on_while_the_broker_is_down_and_the_link_follows(page: Page, connected: Stack) -> None:
    steps.fill_in_booking(page)
    connected.broker.stop()
    page.get_by_role("button", name="Book", exact=True).last.click()
    expect(page.get_by_text("Creating the Teams link…")).to_be_visible()

    connected.broker.start()
    # A worker that ends a task just when its broker goes ends itself, in kombu; its supervisor starts another.
    connected.start("worker")

    steps.expect_link(page)
    assert meetings_made(connected) == 1


def test_a_busy_microsoft_is_left_alone_as_long_as_it_asked(page: Page, connected: Stack) -> None:
    connected.control("fault", kind="throttle", regex=CREATE, retry_after=2, count=1)
    steps.book(page)

    steps.expect_link(page)

    assert meetings_made(connected) == 1


def test_an_answer_that_never_arrived_makes_no_second_meeting(page: Page, connected: Stack) -> None:
    connected.control("fault", kind="drop_after", regex=CREATE, count=1)
    steps.book(page)

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


def test_a_cancel_while_the_meeting_is_being_made_leaves_none(page: Page, connected: Stack) -> None:
    connected.control("fault", kind="latency", regex=CREATE, ms=2000, count=1)
    steps.book(page)
    connected.wait_until(lambda: is_claimed(connected))

    steps.cancel_appointment(page)

    done = "SELECT count(*) FROM integrations_meeting WHERE state = 'cancelled'"
    connected.wait_until(lambda: connected.sql(done) == [(1,)])
    assert steps.live_meetings(connected) == []


def test_a_meeting_that_was_cancelled_before_anybody_made_it_is_never_made(
    page: Page, connected: Stack
) -> None:
    connected.stop("worker")
    steps.book(page)
    steps.cancel_appointment(page)

    connected.start("worker")

    connected.wait_until(lambda: connected.sql("SELECT state FROM integrations_meeting") == [("cancelled",)])
    assert meetings_made(connected) == 0
