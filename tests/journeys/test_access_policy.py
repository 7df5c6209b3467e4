"""The Application Access Policy method: commands, a link without a reload, a reassignment, and a confirmation."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from demo.logins import TENANT_ID
from tests.browser import new_context, watched_page
from tests.journeys import steps
from tests.journeys.test_axe import OPTIONS
from tests.stack import Stack
from tests.start_states import OpenPage, Start


@pytest.fixture
def start(otto_before: Start) -> Start:
    return otto_before


def row_of(page: Page, name: str) -> Locator:
    return page.get_by_role("row", name=re.compile(name))


def test_a_granted_policy_appears_without_a_reload(page: Page, stack: Stack) -> None:
    steps.connect_by_policy(page)
    oscar = row_of(page, "Oscar Lind")
    expect(oscar.locator(".status")).to_have_text("Forbidden")
    oid = steps.person(stack, "oscar@cedar.example")["id"]

    oscar.get_by_text("Commands for Oscar Lind").click()
    expect(oscar.locator("pre").first).to_contain_text(f'"{oid}"')
    oscar.get_by_role("button", name="I ran it").click()
    expect(oscar).to_contain_text("Waiting for Microsoft")
    stack.control("policy", user="oscar@cedar.example")

    expect(oscar.locator(".status")).to_have_text("Matched")
    expect(row_of(page, "Olga Novak").locator(".status")).to_have_text("Forbidden")


def test_one_script_covers_all_users(page: Page, stack: Stack) -> None:
    steps.connect_by_policy(page)
    expect(row_of(page, "Olga Novak").locator(".status")).to_have_text("Forbidden")
    page.reload()

    page.get_by_role("link", name="One script for all of them").click()
    expect(page.locator("#script-1")).to_contain_text("Grant-CsApplicationAccessPolicy")
    stack.control("policy")
    page.get_by_role("button", name="I ran it").click()

    for name in ("Olga Novak", "Oscar Lind"):
        expect(row_of(page, name).locator(".status")).to_have_text("Matched")


def test_a_reassigned_appointment_gets_a_new_link_and_the_old_meeting_is_deleted(
    open_page: OpenPage, otto_after: Start, running_stack: Stack
) -> None:
    stack, page = running_stack, open_page(otto_after, "/settings/video-calls/")
    for name in ("Olga Novak", "Oscar Lind"):
        steps.turn_on(page, name)
    # Oscar is free at any time that the page chooses.
    stack.sql(
        "UPDATE appointments_appointment SET status = 'cancelled' FROM staff_staffmember AS staff "
        "WHERE staff.id = staff_id AND staff.last_name = 'Lind'"
    )
    steps.book(page, client="Peter Ashby", staff="Olga Novak", service="Mortgage appointment")
    before = steps.expect_link(page)
    join = page.get_by_label("Link for the client").input_value()

    # The dialog has announced it before.
    page.get_by_role("link", name="Reassign").click()
    oscar = page.locator("label", has_text="Oscar Lind")
    expect(oscar).to_contain_text("New link: the join link that the client has leads to it.")
    oscar.get_by_role("radio").check()
    page.get_by_role("button", name="Reassign").click()

    page.wait_for_url(re.compile(r"/schedule/appointments/\d+/$"))
    expect(page.get_by_text("Reassigned from Olga Novak to Oscar Lind, with a new link.")).to_be_visible()
    after = steps.expect_link(page)
    stack.wait_until(lambda: len(steps.live_meetings(stack)) == 1)
    [meeting] = steps.live_meetings(stack)
    assert (after != before, meeting["join_web_url"]) == (True, after)
    assert meeting["organizer_id"] == steps.person(stack, "oscar@cedar.example")["id"]
    page.goto(join)
    assert page.url == after


def test_an_operator_confirms_a_tenant_whose_administrator_microsoft_does_not_name(
    page: Page, browser: Browser, stack: Stack
) -> None:
    stack.control("fault", kind="no_wids")
    steps.leave_by_policy(page)
    steps.accept(page, steps.GLOBAL_ADMINISTRATOR)
    expect(page.get_by_text("your Customer Success Team has to confirm the tenant")).to_be_visible()
    steps.open_video_calls(page)
    expect(page.get_by_role("button", name="Cancel request")).to_be_visible()

    with new_context(browser, stack) as context, watched_page(context) as operator:
        operator.goto("/operator/")
        steps.sign_in_as_operator(operator)
        operator.get_by_role("link", name="Connection requests", exact=True).first.click()
        operator.get_by_role("link", name="Cedar Bank").click()
        operator.get_by_role("link", name="Confirm or decline").click()
        expect(operator.get_by_role("row", name=re.compile("Microsoft Tenant ID"))).to_contain_text(TENANT_ID)
        operator.get_by_role("button", name="Confirm and connect").click()
        expect(operator.get_by_text("Microsoft Teams is connected.")).to_be_visible()

    page.reload()
    expect(page.get_by_label("Connected account")).to_contain_text(steps.GLOBAL_ADMINISTRATOR)
    expect(page.get_by_role("button", name="Cancel request")).to_have_count(0)
    stack.wait_until(lambda: [mail for mail in stack.emails() if mail["Subject"] == "Microsoft Teams is connected."])


def test_an_admin_cancels_a_waiting_request_on_a_phone(page: Page, stack: Stack) -> None:
    stack.control("fault", kind="no_wids")
    page.set_viewport_size({"width": 390, "height": 800})
    steps.leave_by_policy(page)
    steps.accept(page, steps.GLOBAL_ADMINISTRATOR)
    expect(page.get_by_text("your Customer Success Team has to confirm the tenant")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    found = Axe().run(page, options=OPTIONS).response["violations"]

    page.get_by_role("link", name="Back to Video Calls").click()
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    page.get_by_role("button", name="Cancel request").click()

    expect(page.get_by_text("The request was cancelled. Nothing was connected.")).to_be_visible()
    assert found == []
    assert stack.sql("SELECT state FROM teams_connectionrequest") == [("cancelled",)]
