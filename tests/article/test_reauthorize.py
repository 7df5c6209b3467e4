"""The article's "Reauthorize the integration", by either method."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from demo.logins import TENANT_ID
from tests.article.clicks import (
    add_second_integration,
    choose_action,
    click_through_to_video_calls,
    where_the_link_leads,
)
from tests.article.conftest import Connected
from tests.journeys import steps
from tests.journeys.steps import GLOBAL_ADMINISTRATOR
from tests.stack import Stack

VERSION = "SELECT token_version FROM teams_teamsconnection"


def start(page: Page) -> None:
    """Do steps 3 to 6."""
    choose_action(page, "Reauthorize")
    page.get_by_label("Azure Tenant ID").fill(TENANT_ID)
    page.get_by_role("button", name="Start Reauthorization").click()


def log_in_as_the_service_account(page: Page) -> None:
    """Do step 7: Microsoft requests the password again for the known account."""
    page.get_by_role("button", name="Next").click()


def reauthorize(connected: Connected) -> None:
    """Do all steps from step 3."""
    start(connected.page)
    if connected.account == steps.SERVICE_ACCOUNT:
        log_in_as_the_service_account(connected.page)
    else:
        steps.accept(connected.page, connected.account)
    expect(connected.page.get_by_text("Microsoft Teams is reauthorized.")).to_be_visible()


def test_it_retrieves_a_new_authorization(dashboard: Page, stack: Stack) -> None:
    """Some issues require the retrieval of a new access token to resolve. The Reauthorize action will reauthorize
    your Microsoft Teams connection and retrieve a new authorization token.
    """
    stack.control("refresh-tokens", how="revoked")
    stack.sql(
        "UPDATE integrations_connection SET status = 'needs_reauthorization', "
        """status_reason = '{"code": "teams.sign_in_ended"}'"""
    )
    dashboard.reload()
    expect(dashboard.get_by_text("needs to be reauthorized").first).to_be_visible()

    start(dashboard)
    log_in_as_the_service_account(dashboard)

    expect(dashboard.get_by_text("Microsoft Teams is reauthorized.")).to_be_visible()
    assert stack.sql("SELECT status FROM integrations_connection") == [("connected",)]
    expect(dashboard.get_by_text("needs to be reauthorized")).to_have_count(0)


def test_steps_1_and_2_click_settings_then_video_calls(dashboard: Page) -> None:
    """From the navigation menu, click Settings. Click Video Calls"""
    click_through_to_video_calls(dashboard)

    expect(dashboard.get_by_text("Actions", exact=True)).to_be_visible()


def test_step_2_bullet_open_the_dashboard_of_one_of_several(dashboard: Page) -> None:
    """If more than one integration is connected, open the Microsoft Teams Dashboard"""
    add_second_integration(dashboard)
    steps.open_video_calls(dashboard)
    dashboard.get_by_role("link", name="Microsoft Teams Dashboard").first.click()

    choose_action(dashboard, "Reauthorize")

    expect(dashboard.get_by_role("button", name="Start Reauthorization")).to_be_visible()


def test_steps_3_and_4_click_actions_then_reauthorize(dashboard: Page) -> None:
    """Click Actions in the upper right of the screen. Click Reauthorize"""
    choose_action(dashboard, "Reauthorize")

    expect(dashboard.get_by_role("heading", level=1)).to_have_text("Reauthorize")


def test_step_5_enter_your_azure_tenant_id(dashboard: Page) -> None:
    """Enter your organization's Azure Tenant ID"""
    page = dashboard
    choose_action(page, "Reauthorize")

    page.get_by_label("Azure Tenant ID").fill("")
    page.get_by_role("button", name="Start Reauthorization").click()

    expect(page.get_by_text("Enter your Azure Tenant ID.")).to_be_visible()


def test_steps_6_and_7_start_reauthorization_leads_to_microsoft(connected: Connected, stack: Stack) -> None:
    """Click Start Reauthorization once more to start the process. You will be redirected to a Microsoft login page"""
    start(connected.page)

    expect(connected.page.get_by_role("heading", name=re.compile("Sign in|Pick an account"))).to_be_visible()
    assert connected.page.url.startswith(stack.simulator_url)


def test_last_step_you_are_redirected_back_to_the_dashboard(connected: Connected, stack: Stack) -> None:
    """You will be redirected back to the Coconut Microsoft Teams Dashboard"""
    before = stack.sql(VERSION)[0][0]

    reauthorize(connected)

    expect(connected.page.get_by_role("heading", level=1)).to_have_text("Microsoft Teams dashboard")
    assert stack.sql(VERSION) == [(before + 1,)]


def test_note_scheduled_appointments_are_not_impacted(connected: Connected, stack: Stack) -> None:
    """Reauthorizing the integration does not impact previously scheduled appointments that included a Microsoft
    Teams video call link.
    """
    page = connected.page
    steps.turn_on(page, connected.host)
    steps.book(page, **connected.booking)
    link = steps.expect_link(page)
    steps.open_video_calls(page)

    reauthorize(connected)

    assert where_the_link_leads(page, stack) == link
    assert [meeting["join_web_url"] for meeting in steps.live_meetings(stack)] == [link]


# --- Service Account method -----------------------------------------------------------------------------


def test_prerequisites_name_the_service_account_that_is_connected(dashboard: Page) -> None:
    """You will need the username and password of the service account that is currently connected to your Coconut
    Teams Integration.
    """
    choose_action(dashboard, "Reauthorize")

    needed = dashboard.get_by_role("listitem").filter(has_text="user name and password of the service account")
    expect(needed).to_contain_text("Coconut Meetings (coconut-meetings@contoso.example)")
    expect(dashboard.get_by_text("the Azure Tenant ID of your organisation").first).to_be_visible()


def test_step_7_log_in_with_the_service_account_that_is_connected(dashboard: Page) -> None:
    """Login with the service account that is currently connected to your Coconut Teams Integration"""
    start(dashboard)
    dashboard.get_by_label("Email, phone, or Skype").fill("uma@contoso.example")
    dashboard.get_by_role("button", name="Next").click()
    dashboard.get_by_role("button", name="Accept").click()

    expect(dashboard.get_by_role("alert").filter(has_text="sign in to Microsoft as coconut-meetings@")).to_be_visible()
    expect(dashboard.get_by_text("Microsoft Teams is reauthorized.")).to_have_count(0)


# --- Application Access Policy method -------------------------------------------------------------------


def test_prerequisites_name_the_roles_the_policy_and_the_application_id(policy_dashboard: Page) -> None:
    """You will need to be a Microsoft Azure Admin with Privileged Role Administrator or Global Administrator rights,
    and have access to your organization's Azure Tenant ID to proceed. You will need to create or update an
    Application Access Policy (AAP) […]. The application (client) ID required for this is provided […].
    """
    choose_action(policy_dashboard, "Reauthorize")

    needed = policy_dashboard.get_by_role("main")
    expect(needed).to_contain_text("Privileged Role Administrator or Global Administrator")
    expect(needed).to_contain_text("Application Access Policy (AAP)")
    expect(policy_dashboard.get_by_label("Application (client) ID")).to_have_value(re.compile("^c0c0a075-"))
    expect(policy_dashboard.get_by_role("link", name="as Microsoft describes it")).to_be_visible()


def test_step_8_review_the_permissions_and_accept_on_behalf_of_the_organization(
    policy_dashboard: Page,
) -> None:
    """Review the requested permissions and click Accept on behalf of your organization"""
    start(policy_dashboard)
    policy_dashboard.get_by_role("button", name=re.compile(GLOBAL_ADMINISTRATOR)).first.click()

    expect(policy_dashboard.get_by_text("Review for your organization")).to_be_visible()
    policy_dashboard.get_by_role("button", name="Accept").click()

    expect(policy_dashboard.get_by_text("Microsoft Teams is reauthorized.")).to_be_visible()
