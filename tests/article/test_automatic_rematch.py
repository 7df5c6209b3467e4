"""The article's "Are users rematched automatically?": by the forms, by the shell, by a real worker."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.article.clicks import expect_status, row_of, status_of, switch_of
from tests.journeys import steps
from tests.stack import Stack
from tests.start_states import OpenPage, Start


def open_person(page: Page, name: str) -> None:
    page.get_by_role("link", name="Staff", exact=True).click()
    row_of(page, name).get_by_role("link", name="Edit").click()


def test_a_new_staff_member_is_added_to_coconut(dashboard: Page, stack: Stack) -> None:
    """A new staff member is added to Coconut"""
    stack.control("people", people=[{"upn": "nina@maple.example", "name": "Nina Falk"}])
    dashboard.get_by_role("link", name="Staff", exact=True).click()
    dashboard.get_by_role("link", name="Add").click()
    dashboard.get_by_label("First name").fill("Nina")
    dashboard.get_by_label("Last name").fill("Falk")
    dashboard.get_by_label("Email").fill("nina@maple.example")
    dashboard.get_by_role("button", name="Save").click()

    stack.wait_until(lambda: status_of(dashboard, "Nina Falk") == "Matched")

    expect(switch_of(dashboard, "Nina Falk")).to_have_attribute("aria-checked", "false")


def test_a_staff_members_email_is_updated(dashboard: Page, stack: Stack) -> None:
    """A staff member's email or username is updated"""
    expect_status(dashboard, "Hugo Martin", "Unmatched")
    open_person(dashboard, "Hugo Martin")
    dashboard.get_by_label("Email").fill("hugo.martin@maple.example")
    dashboard.get_by_role("button", name="Save").click()

    stack.wait_until(lambda: status_of(dashboard, "Hugo Martin") == "Matched")


def test_a_staff_members_username_is_updated(open_page: OpenPage, ada_after: Start, stack: Stack) -> None:
    """A staff member's email or username is updated"""
    page = open_page(ada_after, "/staff/")
    stack.sql("UPDATE integrations_connection SET match_field = 'username'")
    open_person(page, "Ivy Chen")
    page.get_by_label("Username").fill("uma@contoso.example")
    page.get_by_role("button", name="Save").click()

    stack.wait_until(lambda: status_of(page, "Ivy Chen") == "Matched")


def test_a_staff_members_email_is_updated_by_the_shell(dashboard: Page, stack: Stack) -> None:
    """A staff member's email or username is updated"""
    stack.python(
        "from staff.models import StaffMember\n"
        "ivy = StaffMember.objects.get(email='ivy@maple.example')\n"
        "ivy.email = 'uma@contoso.example'\n"
        "ivy.save()"
    )

    stack.wait_until(lambda: status_of(dashboard, "Ivy Chen") == "Matched")


def test_a_staff_member_is_assigned_to_a_service(dashboard: Page, stack: Stack) -> None:
    """A staff member is assigned to a service"""
    stack.control("people", people=[{"upn": "ivy@maple.example", "name": "Ivy Chen"}])
    dashboard.reload()
    expect_status(dashboard, "Ivy Chen", "Unmatched")
    open_person(dashboard, "Ivy Chen")
    dashboard.get_by_role("navigation", name="Staff member").get_by_role("link", name="Services").click()
    dashboard.get_by_role("checkbox", name="Loan consultation").check()
    dashboard.get_by_role("button", name="Save").click()

    stack.wait_until(lambda: status_of(dashboard, "Ivy Chen") == "Matched")


def test_by_the_other_method_too(policy_dashboard: Page, stack: Stack) -> None:
    """Coconut automatically rematches a specific Coconut user with Microsoft Teams users"""
    open_person(policy_dashboard, "Oscar Lind")
    policy_dashboard.get_by_label("Email").fill("nobody@cedar.example")
    policy_dashboard.get_by_role("button", name="Save").click()

    stack.wait_until(lambda: status_of(policy_dashboard, "Oscar Lind") == "Unmatched")

    steps.open_video_calls(policy_dashboard)
    expect_status(policy_dashboard, "Olga Novak", "Matched")
