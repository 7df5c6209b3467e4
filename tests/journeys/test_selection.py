"""Bulk selection in a browser: all users, one page, switch and Undo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import steps
from tests.stack import Stack
from tests.start_states import Start


@pytest.fixture
def start(ada_after_with_many: Start) -> Start:
    return ada_after_with_many


def how_many_on(stack: Stack) -> int:
    return int(stack.sql("SELECT count(*) FROM integrations_usermatch WHERE enabled")[0][0])


def test_all_users_or_only_this_page_are_turned_on_with_undo(page: Page, stack: Stack) -> None:
    steps.open_video_calls(page)
    page.get_by_role("searchbox", name="Search users").fill("person")
    expect(page.get_by_text("1–25 of 30")).to_be_visible()

    page.get_by_role("checkbox", name=re.compile("Select all users")).check()
    expect(page.get_by_text("All 30 users selected")).to_be_visible()
    page.get_by_role("button", name="Only the 25 on this page").click()
    expect(page.get_by_text("25 selected")).to_be_visible()
    page.get_by_role("button", name="All 30 users").click()
    expect(page.get_by_text("All 30 users selected")).to_be_visible()
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("Video Calls is on for 30 more people.")).to_be_visible()
    assert how_many_on(stack) == 30

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone. Video Calls is off again for 30 people.")).to_be_visible()
    assert how_many_on(stack) == 0


def test_the_selection_survives_a_switch_and_works_on_a_phone(page: Page, stack: Stack) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    steps.open_video_calls(page)
    page.get_by_role("searchbox", name="Search users").fill("okafor")
    expect(page.get_by_text("1–1 of 1")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Sam Okafor"))).to_contain_text("Matched")

    page.get_by_role("checkbox", name="Select Sam Okafor").check()
    steps.turn_on(page, "Sam Okafor")

    expect(page.get_by_role("checkbox", name="Select Sam Okafor")).to_be_checked()
    expect(page.get_by_text("1 selected")).to_be_visible()
