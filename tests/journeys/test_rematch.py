"""A rematch by a real worker that is killed, throttled or disconnected; and a change of the match field."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys import steps
from tests.stack import Stack
from tests.start_states import Start

DONE = "All users have been rematched."
LOOK_UPS = r"/v1\.0/(users|\$batch)"


@pytest.fixture
def start(ada_after: Start) -> Start:
    return ada_after


@pytest.fixture
def connected(page: Page, stack: Stack) -> Stack:
    """Maple, connected and matched, with the dashboard open."""
    steps.open_video_calls(page)
    return stack


def status(page: Page) -> Locator:
    return page.locator("#run-sentence").get_by_role("paragraph")


def choose(page: Page, action: str) -> None:
    page.get_by_text("Actions", exact=True).click()
    page.get_by_role("link", name=action, exact=True).click()


def rematch(page: Page) -> None:
    choose(page, "Rematch users")
    page.get_by_role("button", name="Rematch all users").click()


def is_held(stack: Stack) -> bool:
    """Return whether a worker holds the lease of a run."""
    rows = "FROM integrations_rematchrun WHERE state = 'running' AND lease_token IS NOT NULL"
    return stack.sql(f"SELECT count(*) {rows}") == [(1,)]


def test_another_worker_continues_after_a_worker_is_killed(page: Page, connected: Stack) -> None:
    connected.control("fault", kind="slow", regex=LOOK_UPS, seconds=2, count=1)
    rematch(page)
    connected.wait_until(lambda: is_held(connected))

    connected.kill("worker")
    connected.start("worker")

    expect(status(page)).to_have_text(DONE)


def test_the_page_shows_a_wait_while_microsoft_throttles_and_then_the_rematch_completes(
    page: Page, connected: Stack
) -> None:
    connected.control("fault", kind="throttle", regex=LOOK_UPS, retry_after=6, count=1)

    rematch(page)

    expect(page.get_by_text("It waits, and continues automatically at")).to_be_visible()
    expect(status(page)).to_have_count(0)
    expect(status(page)).to_have_text(DONE)


def test_a_disconnect_during_a_rematch_ends_it(page: Page, connected: Stack) -> None:
    connected.control("fault", kind="slow", regex=LOOK_UPS, seconds=2, count=1)
    rematch(page)
    connected.wait_until(lambda: is_held(connected))
    before = connected.sql("SELECT max(checked_at) FROM integrations_usermatch")

    choose(page, "Disconnect")
    page.get_by_role("button", name="Disconnect").click()

    expect(page.get_by_text("Microsoft Teams is disconnected.")).to_be_visible()
    page.wait_for_timeout(3000)  # enough for the response that arrives after the disconnect to be written
    assert connected.sql("SELECT state FROM integrations_rematchrun ORDER BY id DESC LIMIT 1") == [("failed",)]
    assert connected.sql("SELECT max(checked_at) FROM integrations_usermatch") == before


def test_two_admins_who_start_at_once_see_one_rematch(page: Page, connected: Stack) -> None:
    # Without a worker, the first run can't end before the second admin starts.
    for worker in connected.workers:
        connected.stop(worker)
    rematch(page)
    second = page.context.new_page()

    second.goto("/settings/video-calls/")
    rematch(second)

    expect(second.get_by_text("A rematch is under way already")).to_be_visible()
    connected.start(*connected.workers)
    for each in (page, second):
        expect(status(each)).to_have_text(DONE)
    assert connected.sql("SELECT count(*) FROM integrations_rematchrun") == [(2,)]


def test_the_result_stays_until_it_is_dismissed_and_lists_the_changes(page: Page, connected: Stack) -> None:
    connected.control("person", user="sam@maple.example", upn="samuel@maple.example", mail="")
    rematch(page)
    expect(status(page)).to_have_text(DONE)

    page.reload()

    expect(status(page)).to_have_text(DONE)
    page.get_by_text("1 user changed").click()
    row = page.locator(".run-changes").get_by_role("row", name=re.compile("Sam Okafor"))
    expect(row).to_contain_text("Matched")
    expect(row).to_contain_text("Unmatched")
    page.get_by_role("button", name="Dismiss").click()
    expect(status(page)).to_have_count(0)


def test_the_field_is_changed_after_a_preview(page: Page, connected: Stack) -> None:
    page.get_by_role("link", name="Change the field that holds the UPN").click()
    expect(page.get_by_role("radio", name="Username")).to_be_checked()

    page.get_by_role("button", name="Preview").click()

    expect(page.get_by_role("status").filter(has_text=re.compile(r"\d+ becomes? Unmatched"))).to_be_visible()
    page.get_by_role("button", name="Change to Username").click()
    expect(status(page)).to_have_text(DONE)
    expect(page.get_by_role("region", name="Connected account")).to_contain_text("Username")
