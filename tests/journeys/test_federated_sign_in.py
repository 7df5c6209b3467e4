"""A federated tenant: Microsoft redirects the browser to a host that Coconut can't know."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from demo.logins import TENANT_ID
from tests.browser import traced, watched_page
from tests.journeys import steps
from tests.journeys.test_axe import OPTIONS
from tests.stack import Stack
from tests.start_states import OpenPage, Start


def sign_in_at_the_organisation(page: Page, stack: Stack) -> None:
    """On the host of the organisation: sign in, which leads back to Microsoft."""
    expect(page.get_by_role("heading", name="Sign in to your organisation")).to_be_visible()
    assert urlsplit(page.url).hostname != urlsplit(stack.simulator_url).hostname
    page.get_by_role("link", name="Sign in").click()


def test_connect_back_and_reauthorize_work_without_scripts(
    browser: Browser, running_stack: Stack, ada_before: Start, request: pytest.FixtureRequest
) -> None:
    stack = running_stack
    stack.reset(ada_before.snapshot)
    stack.control("behaviour", federated=True)
    plain = browser.new_context(base_url=stack.url, storage_state=ada_before.cookies, java_script_enabled=False)

    with traced(plain, request) as context, watched_page(context) as page:
        steps.begin_connecting(page)
        expect(page.get_by_role("heading", name="Sign in to your organisation")).to_be_visible()
        page.go_back()
        expect(page.get_by_label("Microsoft Tenant ID")).to_have_value(TENANT_ID)
        page.get_by_role("button", name="Continue").click()
        sign_in_at_the_organisation(page, stack)
        steps.accept(page)
        expect(page.get_by_text("Microsoft Teams is connected.")).to_be_visible()

        page.get_by_text("Actions", exact=True).click()
        page.get_by_role("listitem").get_by_role("link", name="Reauthorize", exact=True).click()
        page.get_by_label("Azure Tenant ID").fill(TENANT_ID)
        page.get_by_role("button", name="Start Reauthorization").click()
        sign_in_at_the_organisation(page, stack)
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("Microsoft Teams is reauthorized.")).to_be_visible()


def test_back_reload_and_admin_consent_work(open_page: OpenPage, running_stack: Stack, otto_before: Start) -> None:
    page = open_page(otto_before)
    running_stack.control("behaviour", federated=True)
    page.set_viewport_size({"width": 390, "height": 800})
    page.route(f"{running_stack.simulator_url}/**", lambda route: route.fulfill(status=204))
    steps.leave_by_policy(page)
    expect(page.get_by_role("heading", name="Opening Microsoft …")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    assert Axe().run(page, options=OPTIONS).response["violations"] == []
    page.unroute_all()

    page.reload()
    page.get_by_role("link", name="Continue to Microsoft").click()
    expect(page.get_by_role("heading", name="Sign in to your organisation")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Continue to Microsoft").click()
    sign_in_at_the_organisation(page, running_stack)
    page.get_by_role("button", name=re.compile(steps.GLOBAL_ADMINISTRATOR)).first.click()
    page.get_by_role("button", name="Accept").click()
    # The sign-in that proves the tenant takes the same way.
    sign_in_at_the_organisation(page, running_stack)

    expect(page.get_by_text("Microsoft Teams is connected.")).to_be_visible()
