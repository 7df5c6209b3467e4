"""Signed-in pages, before and after Microsoft Teams is connected, by either method.

What every test would click through again is done once and kept; each test begins from such a moment, so that none
sees what another did.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.article import clicks
from tests.browser import new_context, traced, watched_page
from tests.journeys import steps
from tests.stack import Moment, Stack

ADA = "ada@maple.example"
OTTO = "otto@cedar.example"
SERVICE_ACCOUNT, ACCESS_POLICY = "service account", "access policy"


@dataclass(frozen=True)
class Start:
    """A kept moment and the cookies of the admin who is signed in."""

    moment: Moment
    cookies: StorageState


@dataclass(frozen=True)
class Connected:
    """A dashboard, and what its organisation calls things."""

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
    """The stack; the page that a test begins with brings it to its state."""
    return running_stack


def _prepare(browser: Browser, stack: Stack, email: str, connect: Callable[[Page], None] | None) -> Start:
    stack.reset()
    context = new_context(browser, stack)
    page = context.new_page()
    steps.sign_in(page, email)
    cookies = context.storage_state()
    if connect is not None:
        connect(page)
        expect(page.get_by_text("All users have been looked up.")).to_be_visible()
        page.get_by_role("button", name="Dismiss").click()
        expect(page.get_by_text("All users have been looked up.")).to_have_count(0)
    context.close()
    return Start(stack.keep(), cookies)


@pytest.fixture(scope="session")
def ada_before(browser: Browser, running_stack: Stack) -> Start:
    """Ada is signed in."""
    return _prepare(browser, running_stack, ADA, None)


@pytest.fixture(scope="session")
def otto_before(browser: Browser, running_stack: Stack) -> Start:
    """Otto is signed in."""
    return _prepare(browser, running_stack, OTTO, None)


@pytest.fixture(scope="session")
def ada_after(browser: Browser, running_stack: Stack) -> Start:
    """Ada has connected Maple by the Service Account method."""
    return _prepare(browser, running_stack, ADA, steps.connect)


@pytest.fixture(scope="session")
def otto_after(browser: Browser, running_stack: Stack) -> Start:
    """Otto has connected Cedar by the Application Access Policy method; the policy covers everybody."""

    def connect(page: Page) -> None:
        running_stack.control("policy")
        clicks.connect_by_policy(page)
        expect(page.get_by_role("row", name=re.compile("Olga Novak"))).to_contain_text("Matched")

    return _prepare(browser, running_stack, OTTO, connect)


@pytest.fixture(scope="session")
def ada_after_with_many(browser: Browser, running_stack: Stack, ada_after: Start) -> Start:
    """As `ada_after`, with thirty more people: the list of users has two pages."""
    running_stack.reset(ada_after.moment)
    running_stack.python(
        "from staff.models import Organization\n"
        "from tests.factories import make_staff\n"
        "make_staff(Organization.objects.get(slug='maple'), 30, last_name='Lind')"
    )
    answered = "SELECT count(*) FROM integrations_usermatch WHERE looked_up IS NOT NULL"
    running_stack.wait_until(lambda: running_stack.sql(answered) == [(42,)], seconds=30)
    return Start(running_stack.keep(), ada_after.cookies)


@pytest.fixture
def open_page(
    browser: Browser, stack: Stack, request: pytest.FixtureRequest
) -> Iterator[Callable[[Start], Page]]:
    """Brings the stack to a start and opens a page of its admin."""
    with ExitStack() as closing:

        def open_page(start: Start) -> Page:
            stack.reset(start.moment)
            context = closing.enter_context(traced(new_context(browser, stack, start.cookies), request))
            page = closing.enter_context(watched_page(context))
            page.goto("/settings/")
            return page

        yield open_page


@pytest.fixture
def ada(open_page: Callable[[Start], Page], ada_before: Start) -> Page:
    """Ada, an admin of Maple, which has the add-on Microsoft Teams; nothing is connected."""
    return open_page(ada_before)


@pytest.fixture
def otto(open_page: Callable[[Start], Page], otto_before: Start) -> Page:
    """Otto, an admin of Cedar, which has the Application Access Policy method too; nothing is connected."""
    return open_page(otto_before)


@pytest.fixture
def dashboard(open_page: Callable[[Start], Page], ada_after: Start) -> Page:
    """The dashboard of Maple, connected by the Service Account method."""
    page = open_page(ada_after)
    steps.open_video_calls(page)
    return page


@pytest.fixture
def policy_dashboard(open_page: Callable[[Start], Page], otto_after: Start) -> Page:
    """The dashboard of Cedar, connected by the Application Access Policy method."""
    page = open_page(otto_after)
    steps.open_video_calls(page)
    return page


@pytest.fixture
def long_dashboard(open_page: Callable[[Start], Page], ada_after_with_many: Start) -> Page:
    """The dashboard of Maple with 42 people."""
    page = open_page(ada_after_with_many)
    steps.open_video_calls(page)
    return page


@pytest.fixture(params=[SERVICE_ACCOUNT, ACCESS_POLICY])
def connected(request: pytest.FixtureRequest) -> Connected:
    """A dashboard by either method."""
    name, house = ("dashboard", MAPLE) if request.param == SERVICE_ACCOUNT else ("policy_dashboard", CEDAR)
    return Connected(request.getfixturevalue(name), *house)
