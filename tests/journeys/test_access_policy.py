"""Somebody whom no Application Access Policy covers: from the commands to a link, without a reload."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys import steps
from tests.stack import Stack
from tests.starts import Start


@pytest.fixture
def start(otto_before: Start) -> Start:
    return otto_before


def row_of(page: Page, name: str) -> Locator:
    return page.get_by_role("row", name=re.compile(name))


def test_a_policy_that_was_granted_shows_by_itself(page: Page, stack: Stack) -> None:
    steps.connect_by_policy(page)
    oscar = row_of(page, "Oscar Lind")
    expect(oscar.locator(".status")).to_have_text("Forbidden", timeout=30_000)
    oid = next(
        person["id"] for person in stack.simulator_state()["people"] if person["upn"] == "oscar@cedar.example"
    )

    oscar.get_by_text("Commands for Oscar Lind").click()
    expect(oscar.locator("pre")).to_contain_text(f'"{oid}"')
    oscar.get_by_role("button", name="I ran it").click()
    expect(oscar).to_contain_text("Waiting for Microsoft")
    stack.control("policy", user="oscar@cedar.example")

    expect(oscar.locator(".status")).to_have_text("Matched", timeout=30_000)
    expect(row_of(page, "Olga Novak").locator(".status")).to_have_text("Forbidden")


def test_one_script_is_for_everybody(page: Page, stack: Stack) -> None:
    steps.connect_by_policy(page)
    expect(row_of(page, "Olga Novak").locator(".status")).to_have_text("Forbidden", timeout=30_000)
    page.reload()

    page.get_by_role("link", name="One script for all of them").click()
    expect(page.locator("#script")).to_contain_text("Grant-CsApplicationAccessPolicy")
    stack.control("policy")
    page.get_by_role("button", name="I ran it").click()

    for name in ("Olga Novak", "Oscar Lind"):
        expect(row_of(page, name).locator(".status")).to_have_text("Matched", timeout=30_000)
