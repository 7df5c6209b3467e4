"""Signed-in pages before and after Microsoft Teams is connected, by either method.

A page that a test clicks in is its own. One that begins with `seen_` is shared: no test clicks there, it is only
looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page

from tests.article.clicks import acknowledge, go_on
from tests.browser import new_context
from tests.stack import Stack
from tests.start_states import OpenPage, Start

SERVICE_ACCOUNT, ACCESS_POLICY = "service account", "access policy"
DASHBOARD = "/settings/video-calls/"
WIZARD = "/settings/video-calls/new/teams/"


@dataclass(frozen=True)
class Connected:
    """Dashboard of an organisation, with the names that the organisation uses."""

    page: Page
    account: str
    host: str
    colleague: str
    booking: dict[str, str]


MAPLE = ("Coconut Meetings", "Sam Okafor", "Anna Berg", {"client": "Cleo Brandt", "staff": "Sam Okafor"})
CEDAR = (
    "Gail Adams",
    "Olga Novak",
    "Oscar Lind",
    {"client": "Peter Ashby", "staff": "Olga Novak", "service": "Mortgage appointment"},
)


@pytest.fixture
def stack(running_stack: Stack) -> Stack:
    """The stack. The first page fixture of a test sets its state."""
    return running_stack


# --- To click in ----------------------------------------------------------------------------------------


@pytest.fixture
def ada(open_page: OpenPage, ada_before: Start) -> Page:
    """Ada, an admin of Maple, which has the add-on Microsoft Teams. No connection, no open page."""
    return open_page(ada_before)


@pytest.fixture
def otto(open_page: OpenPage, otto_before: Start) -> Page:
    """Otto, an admin of Cedar, which also has the Application Access Policy method. No connection."""
    return open_page(otto_before)


@pytest.fixture
def dashboard(open_page: OpenPage, ada_after: Start) -> Page:
    """The dashboard of Maple, connected by the Service Account method."""
    return open_page(ada_after, DASHBOARD)


@pytest.fixture
def policy_dashboard(open_page: OpenPage, otto_after: Start) -> Page:
    """The dashboard of Cedar, connected by the Application Access Policy method."""
    return open_page(otto_after, DASHBOARD)


@pytest.fixture
def long_dashboard(open_page: OpenPage, ada_after_with_many: Start) -> Page:
    """The dashboard of Maple with 42 people."""
    return open_page(ada_after_with_many, DASHBOARD)


@pytest.fixture(params=[SERVICE_ACCOUNT, ACCESS_POLICY])
def connected(request: pytest.FixtureRequest) -> Connected:
    """A dashboard for each method, for tests in which the methods differ."""
    name, house = ("dashboard", MAPLE) if request.param == SERVICE_ACCOUNT else ("policy_dashboard", CEDAR)
    return Connected(request.getfixturevalue(name), *house)


# --- To look at -----------------------------------------------------------------------------------------

Look = Callable[[Start, str], Page]


@pytest.fixture(scope="session")
def look(browser: Browser, running_stack: Stack) -> Look:
    """Return `look(start, address)`, which opens a page that later changes of the stack do not affect."""

    def look(start: Start, address: str) -> Page:
        running_stack.reset(start.snapshot)
        page = new_context(browser, running_stack, start.cookies).new_page()
        page.goto(address)
        return page

    return look


@pytest.fixture(scope="session")
def seen_upn_page(look: Look, ada_before: Start) -> Page:
    """Service Account, step 4."""
    return look(ada_before, WIZARD)


@pytest.fixture(scope="session")
def seen_tenant_page(look: Look, ada_before: Start) -> Page:
    """Service Account, step 6."""
    page = look(ada_before, WIZARD)
    go_on(page)
    return page


@pytest.fixture(scope="session")
def seen_policy_page(look: Look, otto_before: Start) -> Page:
    """Application Access Policy, step 4."""
    return look(otto_before, WIZARD + "policy/")


@pytest.fixture(scope="session")
def seen_policy_upn_page(look: Look, otto_before: Start) -> Page:
    """Application Access Policy, step 7."""
    page = look(otto_before, WIZARD + "policy/")
    acknowledge(page)
    return page


@pytest.fixture(scope="session")
def seen_policy_tenant_page(look: Look, otto_before: Start) -> Page:
    """Application Access Policy, step 9."""
    page = look(otto_before, WIZARD + "policy/")
    acknowledge(page)
    go_on(page)
    return page


@pytest.fixture(scope="session")
def seen_dashboard(look: Look, ada_after: Start) -> Page:
    """As `dashboard`."""
    return look(ada_after, DASHBOARD)


@pytest.fixture(scope="session")
def seen_policy_dashboard(look: Look, otto_after: Start) -> Page:
    """As `policy_dashboard`."""
    return look(otto_after, DASHBOARD)


@pytest.fixture(params=[SERVICE_ACCOUNT, ACCESS_POLICY])
def seen_connected(request: pytest.FixtureRequest) -> Connected:
    """As `connected`."""
    is_default = request.param == SERVICE_ACCOUNT
    name, house = ("seen_dashboard", MAPLE) if is_default else ("seen_policy_dashboard", CEDAR)
    return Connected(request.getfixturevalue(name), *house)
