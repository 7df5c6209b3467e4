"""The session ends while a person works: what they typed comes back after they have signed in again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from demo.logins import PASSWORD
from tests.journeys import steps
from tests.stack import Stack

ADA = "ada@maple.example"
BACK = "Your session ended before this was saved. We have restored what you typed. Check it, then save it."
IDLE = "You were signed out after 30 minutes without activity."
BOOKING = "/schedule/appointments/add/"


def end_sessions(stack: Stack) -> None:
    """Let thirty minutes without activity pass."""
    stack.sql("UPDATE staff_staffsession SET last_active_at = now() - interval '30 minutes'")


def sign_in_again(page: Page, email: str = ADA) -> None:
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def fill_in_person(page: Page) -> None:
    page.goto("/staff/add/")
    page.get_by_label("First name").fill("Nia")
    page.get_by_label("Email").fill("nia@maple.example")
    page.get_by_label("Role").select_option(label="Scheduler")
    page.get_by_label("Send invitation").uncheck()


def draft(page: Page) -> str | None:
    stored: str | None = page.evaluate("sessionStorage.getItem('coconut-draft')")
    return stored


def test_a_filled_form_comes_back_after_signing_in_again(page: Page, stack: Stack) -> None:
    steps.sign_in(page)
    fill_in_person(page)
    end_sessions(stack)

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(IDLE)).to_be_visible()
    sign_in_again(page)

    expect(page).to_have_url(re.compile("/staff/add/$"))
    expect(page.get_by_text(BACK)).to_be_visible()
    expect(page.get_by_label("First name")).to_have_value("Nia")
    expect(page.get_by_label("Role")).to_have_value("scheduler")
    expect(page.get_by_label("Send invitation")).not_to_be_checked()
    assert draft(page) is None
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def test_another_person_does_not_get_it(page: Page, stack: Stack) -> None:
    steps.sign_in(page)
    fill_in_person(page)
    end_sessions(stack)
    page.get_by_role("button", name="Save").click()

    sign_in_again(page, "sky@maple.example")
    page.goto("/clients/add/")

    assert draft(page) is None
    page.get_by_role("button", name="Sign out").click()
    sign_in_again(page)
    page.goto("/staff/add/")
    expect(page.get_by_label("First name")).to_have_value("")


def test_a_saved_form_leaves_nothing_behind(page: Page) -> None:
    steps.sign_in(page)
    fill_in_person(page)

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Saved.")).to_be_visible()
    assert draft(page) is None


def test_passwords_are_never_kept(page: Page, stack: Stack) -> None:
    steps.sign_in(page)
    page.goto("/password/change/")
    page.get_by_label("Current password").fill("a present secret")
    page.get_by_label("New password", exact=True).fill("a new secret")
    end_sessions(stack)

    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    assert "secret" not in (draft(page) or "")


def test_a_background_update_leads_the_whole_page_to_sign_in_and_back(page: Page, stack: Stack) -> None:
    steps.sign_in(page)
    page.goto(BOOKING)
    page.get_by_label("Notes").fill("Prefers mornings")
    end_sessions(stack)

    page.get_by_label("Service").select_option(label="Mortgage review")
    expect(page.get_by_text(IDLE)).to_be_visible()
    sign_in_again(page)

    expect(page).to_have_url(re.compile(f"{BOOKING}$"))
    expect(page.get_by_label("Notes")).to_have_value("Prefers mornings")
    expect(page.get_by_label("Service").locator("option:checked")).to_have_text("Mortgage review")
    expect(page.get_by_role("radio", name="Video Call")).to_be_visible()


def test_a_booking_comes_back_with_choices_that_load_later(page: Page, stack: Stack) -> None:
    steps.sign_in(page)
    page.goto(BOOKING)
    page.get_by_label("Search clients").fill("Cleo")
    page.get_by_role("radio", name=re.compile("Cleo Brandt")).check()
    page.get_by_label("Service").select_option(label="Mortgage review")
    page.get_by_role("radio", name="Phone").check()
    # A request for choices after the end of the session would leave the page before the click.
    page.wait_for_load_state("networkidle")
    end_sessions(stack)

    page.get_by_role("button", name="Book", exact=True).last.click()
    sign_in_again(page)

    expect(page.get_by_role("radio", name=re.compile("Cleo Brandt"))).to_be_checked()
    expect(page.get_by_role("radio", name="Phone")).to_be_checked()


def test_an_open_schedule_does_not_keep_the_session_alive(page: Page, stack: Stack) -> None:
    steps.sign_in(page, then="/schedule/")
    stack.sql("UPDATE staff_staffsession SET last_active_at = now() - interval '29 minutes'")

    with page.expect_request("**/schedule/events/**") as polled:
        pass
    assert polled.value.headers["x-poll"] == "1"
    stack.sql("UPDATE staff_staffsession SET last_active_at = last_active_at - interval '1 minute'")

    expect(page.get_by_text(IDLE)).to_be_visible()
    sign_in_again(page)
    expect(page).to_have_url(re.compile("/schedule/"))


def test_updates_of_an_open_appointment_are_polls_but_a_search_is_not(page: Page, stack: Stack) -> None:
    steps.sign_in(page)
    ((pk,),) = stack.sql(
        "SELECT min(a.id) FROM appointments_appointment a JOIN staff_organization o ON o.id = a.organization_id "
        "WHERE o.slug = 'maple'"
    )
    page.goto(f"/schedule/appointments/{pk}/")
    with page.expect_request("**/news/**") as polled:
        pass
    page.goto("/staff/")
    with page.expect_request("**/staff/?q=Sam**") as searched:
        page.get_by_role("searchbox").fill("Sam")

    assert polled.value.headers.get("x-poll") == "1"
    assert "x-poll" not in searched.value.headers


@pytest.mark.parametrize("width", [1280, 390])
def test_a_form_of_an_old_page_comes_back(page: Page, width: int) -> None:
    steps.sign_in(page)
    page.set_viewport_size({"width": width, "height": 900})
    fill_in_person(page)
    page.context.clear_cookies(name="coconut_csrf")

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="This page was out of date")).to_be_visible()
    page.get_by_role("link", name="Back to the page").click()

    expect(page.get_by_label("First name")).to_have_value("Nia")
