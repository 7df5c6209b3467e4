"""The article's "Set up the integration using the Application Access Policy method"."""

from __future__ import annotations

import re
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect

from demo.logins import TENANT_ID
from tests.article.clicks import acknowledge, go_on, open_policy_page
from tests.journeys import steps
from tests.journeys.steps import GLOBAL_ADMINISTRATOR, connect_by_policy, leave_by_policy
from tests.stack import Stack

APPLICATION_ID = "c0c0a075-0365-4000-8000-00000000c0de"


def test_it_uses_the_client_credentials_flow(otto: Page, stack: Stack) -> None:
    """This method makes use of Microsoft's OAuth 2.0 Client Credentials Flow."""
    connect_by_policy(otto)

    # A flow with a user's sign-in would leave a refresh token.
    assert stack.simulator_state()["refresh_tokens"] == 0


@pytest.mark.parametrize("administrator", ["Priya Rao", "Gail Adams"])
def test_either_role_may_proceed(otto: Page, administrator: str) -> None:
    """You will need to be a Microsoft Azure Admin with Privileged Role Administrator or Global Administrator rights"""
    leave_by_policy(otto)
    steps.accept(otto, administrator)

    expect(otto.get_by_label("Connected account")).to_contain_text(administrator)


def test_other_users_may_not_proceed(otto: Page, stack: Stack) -> None:
    """You will need to be a Microsoft Azure Admin with Privileged Role Administrator or Global Administrator rights"""
    leave_by_policy(otto)
    otto.get_by_role("button", name=re.compile("Uma Jensen")).first.click()
    expect(otto.get_by_role("heading", name="Need admin approval")).to_be_visible()

    otto.get_by_role("button", name="Return to the application").click()

    expect(otto.get_by_role("alert").first).to_be_visible()
    assert stack.sql("SELECT count(*) FROM integrations_connection") == [(0,)]


def test_instructions_are_in_microsofts_documentation(seen_policy_page: Page) -> None:
    """Instructions on how to complete this process can be found in this Microsoft Documentation."""
    link = seen_policy_page.get_by_role("link", name="More about Application Access Policies")

    expect(link).to_have_attribute("href", re.compile(r"^https://learn\.microsoft\.com/.*application-access-policy$"))


def test_the_application_id_is_in_the_email(otto: Page, stack: Stack) -> None:
    """The application (client) ID required for this is provided […] in the email you received from Coconut Software
    regarding this update.
    """
    stack.python(
        "from staff.addons import announce_switched_on\n"
        "from staff.models import Organization\n"
        "announce_switched_on(Organization.objects.get(slug='cedar'), previous=['teams'])"
    )

    def emails_to_otto() -> list[EmailMessage]:
        return [mail for mail in stack.emails() if "otto@cedar.example" in str(mail["To"])]

    stack.wait_until(emails_to_otto)
    [mail] = emails_to_otto()
    text = mail.get_body(("plain",))
    assert text is not None
    assert APPLICATION_ID in text.get_content()


def test_step_1_from_the_navigation_menu_click_settings(otto: Page) -> None:
    """From the navigation menu, click Settings"""
    otto.goto("/schedule/")

    otto.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()

    expect(otto.get_by_role("heading", level=1)).to_have_text("Settings")


def test_step_2_from_integrations_and_api_click_video_calls(otto: Page) -> None:
    """From Integrations & API, click Video Calls"""
    otto.goto("/settings/")

    otto.get_by_role("region", name="Integrations & API").get_by_role("link", name="Video Calls").click()

    expect(otto.get_by_role("heading", level=1)).to_have_text("Video Calls")


def test_step_2_bullet_new_at_the_top_right(policy_dashboard: Page) -> None:
    """If an integration is already connected, click the + New button at the top right to add a new one"""
    place = policy_dashboard.get_by_role("link", name="+ New").bounding_box()
    assert place is not None
    assert place["x"] > 640
    assert place["y"] < 200

    policy_dashboard.get_by_role("link", name="+ New").click()

    expect(policy_dashboard.get_by_role("link", name="Microsoft Teams", exact=True)).to_be_visible()


def test_step_3_click_microsoft_teams(otto: Page) -> None:
    """Click Microsoft Teams. Coconut will prompt you to configure an AAP"""
    steps.open_video_calls(otto)

    otto.get_by_role("link", name="Microsoft Teams").click()

    expect(otto.get_by_text("creates or updates an Application Access Policy (AAP)")).to_be_visible()


def test_step_4_the_application_id_is_provided(seen_policy_page: Page) -> None:
    """Create or update an Application Access Policy (AAP) for the Coconut Azure client app using the Coconut
    Application ID provided
    """
    expect(seen_policy_page.get_by_label("Application (client) ID")).to_have_value(APPLICATION_ID)
    create, extend = seen_policy_page.locator("#commands-1"), seen_policy_page.locator("#commands-2")
    expect(create).to_contain_text(f'New-CsApplicationAccessPolicy -Identity Coconut -AppIds "{APPLICATION_ID}"')
    expect(extend).to_contain_text("Set-CsApplicationAccessPolicy")


def test_step_5_click_the_checkbox_to_acknowledge(otto: Page) -> None:
    """Click the checkbox to acknowledge the AAP was made"""
    open_policy_page(otto)

    go_on(otto)

    expect(otto.get_by_text("then tick the box.")).to_be_visible()
    expect(otto.get_by_label("Application (client) ID")).to_be_visible()


def test_step_6_click_continue(otto: Page) -> None:
    """Click Continue"""
    open_policy_page(otto)

    acknowledge(otto)

    expect(otto.get_by_text("This connects by the Application Access Policy method.")).to_be_visible()


def test_step_7_select_the_field_most_often_the_email(otto: Page) -> None:
    """Select which field in Coconut contains your Microsoft Universal Principal Name (UPN); this is most often
    staff's email addresses
    """
    open_policy_page(otto)
    acknowledge(otto)

    expect(otto.get_by_role("radio", name="Email")).to_be_checked()
    otto.get_by_role("radio", name="Username").check()
    go_on(otto)
    otto.get_by_label("Microsoft Tenant ID").fill(TENANT_ID)
    go_on(otto)
    steps.accept(otto, GLOBAL_ADMINISTRATOR)

    expect(otto.get_by_label("Connected account").get_by_text("Username")).to_be_visible()


def test_step_7_note_and_hot_tip(seen_policy_upn_page: Page) -> None:
    """NOTE: For more information on UPNs, please refer to this article. Hot Tip! Ensure staff's email addresses in
    Coconut are the same email addresses that are used to sign in to their Microsoft accounts
    """
    expect(seen_policy_upn_page.get_by_role("link", name="More about UPNs at Microsoft")).to_be_visible()
    tip = seen_policy_upn_page.get_by_role("note").filter(has_text="Hot Tip!")
    expect(tip).to_contain_text("the email address in Coconut is the one used to sign in to Microsoft")


def test_step_8_click_continue(otto: Page) -> None:
    """Click Continue"""
    open_policy_page(otto)
    acknowledge(otto)

    go_on(otto)

    expect(otto.get_by_label("Microsoft Tenant ID")).to_be_visible()


def test_step_9_enter_your_microsoft_tenant_id_and_click_continue(otto: Page, stack: Stack) -> None:
    """Enter your Microsoft Tenant ID and click Continue"""
    leave_by_policy(otto)

    expect(otto.get_by_role("heading", name="Pick an account")).to_be_visible()
    assert otto.url.startswith(stack.simulator_url)


def test_step_9_note_how_to_find_your_tenant_id(seen_policy_tenant_page: Page) -> None:
    """NOTE: For more information on how to find your tenant ID, please refer to this article"""
    link = seen_policy_tenant_page.get_by_role("link", name="How to find your tenant ID, at Microsoft")

    expect(link).to_be_visible()


def test_step_10_sign_in_with_the_administrator(otto: Page) -> None:
    """Sign in using your Microsoft 365 administrator credentials"""
    leave_by_policy(otto)

    otto.get_by_role("button", name=re.compile(GLOBAL_ADMINISTRATOR)).first.click()

    expect(otto.get_by_text("gail@contoso.example")).to_be_visible()


def test_step_11_accept_on_behalf_of_your_organization(otto: Page, stack: Stack) -> None:
    """Review the requested permissions and click Accept on behalf of your organization"""
    leave_by_policy(otto)
    otto.get_by_role("button", name=re.compile(GLOBAL_ADMINISTRATOR)).first.click()
    expect(otto.get_by_text("Review for your organization")).to_be_visible()

    otto.get_by_role("button", name="Accept").click()

    expect(otto.get_by_role("heading", level=1)).to_have_text("Microsoft Teams dashboard")
    assert sorted(stack.simulator_state()["consents"]["admin"][TENANT_ID]["roles"]) == [
        "OnlineMeetings.ReadWrite.All",
        "User.Read.All",
    ]


def test_step_12_coconut_refreshes_and_a_success_message_displays(otto: Page) -> None:
    """Coconut will refresh and a success message displays."""
    leave_by_policy(otto)
    steps.accept(otto, GLOBAL_ADMINISTRATOR)

    expect(otto.get_by_role("status").filter(has_text="Microsoft Teams is connected.")).to_be_visible()
