"""Adopt the user name behind an alias with one button, then sign in with the new address."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import steps
from tests.stack import Stack
from tests.start_states import Start


@pytest.fixture
def start(ada_after: Start) -> Start:
    return ada_after


def test_a_person_with_an_alias_is_matched_by_one_button_and_signs_in_with_the_new_address(
    page: Page, stack: Stack
) -> None:
    steps.open_video_calls(page)
    hugo = page.get_by_role("row", name=re.compile("Hugo Martin"))
    expect(hugo).to_contain_text("Unmatched")

    hugo.get_by_role("link", name="Use hugo.martin@maple.example for Hugo Martin").click()
    expect(page.get_by_text("Hugo Martin signs in to Coconut with hugo.martin@maple.example")).to_be_visible()
    page.get_by_role("button", name="Use hugo.martin@maple.example").click()

    expect(page.get_by_text("Hugo Martin uses hugo.martin@maple.example now and is being matched")).to_be_visible()
    stack.wait_until(lambda: _status_of_hugo(page) == "Matched")


def _status_of_hugo(page: Page) -> str:
    page.reload()
    return page.get_by_role("row", name=re.compile("Hugo Martin")).locator(".status").inner_text()
