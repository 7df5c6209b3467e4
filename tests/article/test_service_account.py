"""The article's "Set up the integration using the Service Account method (default)"."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from demo.logins import TENANT_ID
from tests.article.clicks import expect_status, go_on, row_of
from tests.article.conftest import WIZARD
from tests.journeys import steps
from tests.stack import Stack


def reach_the_tenant_page(page: Page) -> None:
    """Do steps 1 to 5."""
    page.goto(WIZARD)
    go_on(page)


def test_note_microsoft_teams_is_an_optional_add_on(ada: Page, stack: Stack) -> None:
    """Microsoft Teams integration is an optional add-on. Please connect with your Customer Success Team to get
    started.
    """
    stack.sql("UPDATE staff_organization SET addons = '{}' WHERE slug = 'maple'")

    steps.open_video_calls(ada)

    expect(ada.get_by_text("Optional add-on. Please contact your Customer Success Team")).to_be_visible()
    expect(ada.get_by_role("link", name="Microsoft Teams")).to_have_count(0)


def test_the_other_method_is_enabled_by_customer_success(seen_upn_page: Page) -> None:
    """Application Access Policy method: To enable this method, please reach out to your Customer Success Team"""
    expect(
        seen_upn_page.get_by_text("The Application Access Policy method is available from your Customer Success Team.")
    ).to_be_visible()


def test_this_method_is_the_default(seen_upn_page: Page) -> None:
    """Service Account method: this method is the default"""
    expect(seen_upn_page.get_by_text("This connects by the Service Account method.")).to_be_visible()


def test_step_1_from_the_navigation_menu_click_settings(ada: Page) -> None:
    """From the navigation menu, click Settings"""
    ada.goto("/schedule/")

    ada.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()

    expect(ada.get_by_role("heading", level=1)).to_have_text("Settings")


def test_step_2_from_integrations_and_api_click_video_calls(ada: Page) -> None:
    """From Integrations & API, click Video Calls"""
    ada.goto("/settings/")

    ada.get_by_role("region", name="Integrations & API").get_by_role("link", name="Video Calls").click()

    expect(ada.get_by_role("heading", level=1)).to_have_text("Video Calls")


def test_step_2_bullet_new_at_the_top_right(dashboard: Page) -> None:
    """If an integration is already connected, click the + New button at the top right to add a new one"""
    button = dashboard.get_by_role("link", name="+ New")
    place = button.bounding_box()
    assert place is not None
    assert place["x"] > 640
    assert place["y"] < 200

    button.click()

    expect(dashboard.get_by_role("link", name="Microsoft Teams", exact=True)).to_be_visible()


def test_step_3_click_microsoft_teams(ada: Page) -> None:
    """Click Microsoft Teams"""
    steps.open_video_calls(ada)

    ada.get_by_role("link", name="Microsoft Teams").click()

    expect(ada.get_by_role("heading", level=1)).to_have_text("Connect Microsoft Teams")


def test_step_4_select_the_field_most_often_the_email(seen_upn_page: Page) -> None:
    """Select which field in Coconut contains your Microsoft Universal Principal Name (UPN); this is most often
    staff's email addresses
    """
    fields = seen_upn_page.get_by_role("group", name=re.compile(r"Universal Principal Name \(UPN\)"))
    expect(fields.get_by_role("radio")).to_have_count(2)
    expect(fields.get_by_role("radio", name="Email")).to_be_checked()


def test_step_4_the_selected_field_is_used(ada: Page) -> None:
    """Select which field in Coconut contains your Microsoft Universal Principal Name (UPN)"""
    ada.goto(WIZARD)
    ada.get_by_role("radio", name="Username").check()
    go_on(ada)
    ada.get_by_label("Microsoft Tenant ID").fill(TENANT_ID)
    go_on(ada)
    steps.accept(ada)

    # Unlike the email, Sam's username is not a UPN.
    expect_status(ada, "Sam Okafor", "Unmatched")


def test_step_4_note_more_information_on_upns(seen_upn_page: Page) -> None:
    """NOTE: For more information on UPNs, please refer to this article"""
    expect(seen_upn_page.get_by_role("link", name="More about UPNs at Microsoft")).to_have_attribute(
        "href", re.compile(r"^https://learn\.microsoft\.com/.*userprincipalname$")
    )


def test_step_4_hot_tip_the_same_addresses_need_no_work(seen_dashboard: Page) -> None:
    """Ensure staff's email addresses in Coconut are the same email addresses that are used to sign in to their
    Microsoft accounts for a seamless experience for your employees
    """
    expect_status(seen_dashboard, "Sam Okafor", "Matched")
    expect(row_of(seen_dashboard, "Hugo Martin")).to_contain_text(
        "Microsoft knows this person as hugo.martin@maple.example."
    )


def test_step_4_hot_tip_is_on_its_page(seen_upn_page: Page) -> None:
    """Ensure staff's email addresses in Coconut are the same email addresses that are used to sign in"""
    tip = seen_upn_page.get_by_role("note").filter(has_text="Hot Tip!")
    expect(tip).to_contain_text("the email address in Coconut is the one used to sign in to Microsoft")


def test_step_5_click_continue(ada: Page) -> None:
    """Click Continue"""
    reach_the_tenant_page(ada)

    expect(ada.get_by_label("Microsoft Tenant ID")).to_be_visible()


def test_step_6_enter_your_microsoft_tenant_id(ada: Page) -> None:
    """Enter your Microsoft Tenant ID"""
    reach_the_tenant_page(ada)

    go_on(ada)
    expect(ada.get_by_text("Enter your Microsoft Tenant ID.")).to_be_visible()
    ada.get_by_label("Microsoft Tenant ID").fill("nowhere.example")
    go_on(ada)

    expect(ada.get_by_label("Microsoft Tenant ID")).to_have_value("nowhere.example")
    expect(ada.get_by_text("Microsoft knows no tenant “nowhere.example”.")).to_be_visible()


def test_step_6_note_how_to_find_your_tenant_id(seen_tenant_page: Page) -> None:
    """NOTE: For more information on how to find your tenant ID, please refer to this article"""
    link = seen_tenant_page.get_by_role("link", name="How to find your tenant ID, at Microsoft")

    expect(link).to_have_attribute("href", re.compile(r"^https://learn\.microsoft\.com/.*how-to-find-tenant$"))


def test_step_6_hot_tip_is_on_its_page(seen_tenant_page: Page) -> None:
    """Create a generic service account and use that account's tenant ID to set up the integration if you want to
    keep your existing service account details private.
    """
    tip = seen_tenant_page.get_by_role("note").filter(has_text="Hot Tip!")
    expect(tip).to_contain_text("make a generic one in your tenant and sign in with that")


def test_step_6_hot_tip_the_service_account_appears_as_a_participant(dashboard: Page, stack: Stack) -> None:
    """The service account (email address) associated with the tenant ID used to complete the integration will appear
    as a participant in all meetings created using the integration.
    """
    steps.turn_on(dashboard, "Sam Okafor")
    steps.book(dashboard)
    link = steps.expect_link(dashboard)

    dashboard.goto(link)

    expect(dashboard.get_by_role("listitem").filter(has_text="Coconut Meetings")).to_be_visible()


def test_step_7_click_continue(ada: Page, stack: Stack) -> None:
    """Click Continue"""
    steps.begin_connecting(ada)

    expect(ada.get_by_role("heading", name="Pick an account")).to_be_visible()
    assert ada.url.startswith(stack.simulator_url)


def test_step_8_review_the_permissions_and_click_accept(ada: Page) -> None:
    """Review the permissions request details and click Accept to proceed with the integration"""
    steps.begin_connecting(ada)
    ada.get_by_role("button", name=re.compile(steps.SERVICE_ACCOUNT)).first.click()
    expect(ada.get_by_role("heading", name="Permissions requested")).to_be_visible()

    ada.get_by_role("button", name="Accept").click()

    expect(ada.get_by_role("heading", level=1)).to_have_text("Microsoft Teams dashboard")


def test_step_8_cancel_comes_back_with_a_sentence_and_the_answers(ada: Page) -> None:
    """Review the permissions request details"""
    steps.begin_connecting(ada)
    ada.get_by_role("button", name=re.compile(steps.SERVICE_ACCOUNT)).first.click()

    ada.get_by_role("button", name="Cancel").click()

    expect(ada.get_by_role("alert")).to_be_visible()
    expect(ada.get_by_label("Microsoft Tenant ID")).to_have_value(TENANT_ID)


def test_coconut_refreshes_and_a_success_message_displays(ada: Page) -> None:
    """Coconut will refresh and a success message displays."""
    steps.begin_connecting(ada)
    steps.accept(ada)

    expect(ada.get_by_role("status").filter(has_text="Microsoft Teams is connected.")).to_be_visible()
