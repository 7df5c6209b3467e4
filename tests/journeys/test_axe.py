"""Automatic accessibility checks of every page."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser import new_context
from tests.stack import Stack
from tests.start_states import Start

CONNECTION, APPOINTMENT = "/settings/video-calls/1/", "/schedule/appointments/1/"
FOR_ADMINS = [
    "/schedule/",
    "/schedule/?view=week",
    "/schedule/?view=week&staff=3",
    "/schedule/?view=list",
    "/schedule/?q=nobody",
    "/schedule/appointments/add/",
    APPOINTMENT,
    f"{APPOINTMENT}move/",
    f"{APPOINTMENT}cancel/",
    f"{APPOINTMENT}reassign/",
    f"{APPOINTMENT}method/",
    "/contact-center/",
    "/contact-center/?client=1&service=3&method=1",
    "/contact-center/?client=1&service=3&method=3",
    "/contact-center/booked/1/",
    "/clients/",
    "/clients/add/",
    "/clients/1/",
    "/clients/1/erase/",
    "/staff/",
    "/staff/add/",
    "/staff/3/",
    "/staff/3/hours/",
    "/staff/3/profile/",
    "/staff/3/services/",
    "/services/",
    "/services/add/",
    "/services/1/",
    "/services/1/more/",
    "/services/1/staff/",
    "/settings/",
    "/services/3/video-calls/",
    "/settings/client-view/",
    "/settings/audit-log/",
    "/settings/privacy/",
    "/settings/video-calls/links/",
    "/settings/video-calls/links/?show=other",
    "/settings/video-calls/new/",
    "/settings/video-calls/new/teams/",
    "/settings/video-calls/new/teams/tenant/",
    CONNECTION,
    f"{CONNECTION}health/",
    f"{CONNECTION}rematch/",
    f"{CONNECTION}field/",
    f"{CONNECTION}disconnect/",
    "/settings/video-calls/teams/1/reauthorize/",
]
FOR_EVERYBODY = [
    "/sign-in/",
    "/password/forgotten/",
    "/book/maple/",
    "/book/maple/?service=3",
    "/book/maple/?service=3&method=1&zone=America/Toronto",
    "/book/maple/?service=3&method=1&start=4102444800",
]
OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}


@pytest.fixture
def start(ada_hosting: Start) -> Start:
    return ada_hosting


def test_no_page_violates_an_axe_rule(page: Page, browser: Browser, stack: Stack) -> None:
    stranger = new_context(browser, stack).new_page()
    private = stack.sql("SELECT manage_token FROM appointments_appointment ORDER BY starts_at DESC LIMIT 1")

    found = {
        **_violations(page, FOR_ADMINS),
        **_violations(stranger, [*FOR_EVERYBODY, f"/appointments/{private[0][0]}/"]),
    }

    stranger.context.close()
    assert found == {}


def _violations(page: Page, addresses: list[str]) -> dict[str, list[str]]:
    """Return violations by address, as rule and element. A missing page is a violation, too."""
    found = {}
    for address in addresses:
        answer = page.goto(address)
        assert answer is not None
        if answer.status != 200:
            found[address] = [f"status {answer.status}"]
            continue
        violations = Axe().run(page, options=OPTIONS).response["violations"]
        lines = [f"{each['id']} {node['html'][:160]}" for each in violations for node in each["nodes"][:3]]
        if lines:
            found[address] = lines
    return found
