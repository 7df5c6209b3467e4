"""Start states of browser tests: installations in which the steps that many tests need are already done.

Each is made once in a run and kept. Each test begins from its own copy, so tests do not affect each other.

Playwright is imported in functions only: `tests/conftest.py` imports this module in every run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pytest

from tests.browser import new_context, traced, watched_page
from tests.stack import Snapshot, Stack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, StorageState

ADA = "ada@maple.example"
OTTO = "otto@cedar.example"


@dataclass(frozen=True)
class Start:
    """A snapshot of the stack, and the cookies of the signed-in admin."""

    snapshot: Snapshot
    cookies: StorageState


OpenPage: TypeAlias = "Callable[..., Page]"


@pytest.fixture(scope="session")
def ada_before(browser: Browser, running_stack: Stack) -> Start:
    """Ada, admin of Maple, is signed in; nothing is connected."""
    return _prepare(browser, running_stack, ADA, None)


@pytest.fixture(scope="session")
def otto_before(browser: Browser, running_stack: Stack) -> Start:
    """Otto, admin of Cedar, is signed in; nothing is connected."""
    return _prepare(browser, running_stack, OTTO, None)


@pytest.fixture(scope="session")
def ada_after(browser: Browser, running_stack: Stack) -> Start:
    """Ada has connected Maple by the Service Account method; the first rematch has ended."""
    from tests.journeys import steps

    return _prepare(browser, running_stack, ADA, steps.connect)


@pytest.fixture(scope="session")
def otto_after(browser: Browser, running_stack: Stack) -> Start:
    """Otto has connected Cedar by the Application Access Policy method; the policy covers all staff."""
    from playwright.sync_api import expect

    from tests.journeys import steps

    def connect(page: Page) -> None:
        running_stack.control("policy")
        steps.connect_by_policy(page)
        expect(page.get_by_role("row", name=re.compile("Olga Novak"))).to_contain_text("Matched")

    return _prepare(browser, running_stack, OTTO, connect)


@pytest.fixture(scope="session")
def ada_hosting(browser: Browser, running_stack: Stack, ada_after: Start) -> Start:
    """As `ada_after`, and Video Calls is on for Sam."""
    from tests.journeys import steps

    running_stack.reset(ada_after.snapshot)
    context = new_context(browser, running_stack, ada_after.cookies)
    page = context.new_page()
    steps.open_video_calls(page)
    steps.turn_on(page, "Sam Okafor")
    context.close()
    return Start(running_stack.keep(), ada_after.cookies)


@pytest.fixture(scope="session")
def ada_after_with_many(running_stack: Stack, ada_after: Start) -> Start:
    """As `ada_after`, with thirty more staff members: the list of users has two pages."""
    running_stack.reset(ada_after.snapshot)
    running_stack.python(
        "from staff.models import Organization\n"
        "from tests.factories import make_staff\n"
        "make_staff(Organization.objects.get(slug='maple'), 30, last_name='Lind')"
    )
    answered = "SELECT count(*) FROM integrations_usermatch WHERE queried_name IS NOT NULL"
    running_stack.wait_until(lambda: running_stack.sql(answered) == [(42,)])
    return Start(running_stack.keep(), ada_after.cookies)


@pytest.fixture
def open_page(browser: Browser, running_stack: Stack, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """Return `open_page(start)`: it resets the stack and opens a page of the start's admin, empty or at an address."""
    with ExitStack() as closing:

        def open_page(start: Start, address: str = "about:blank") -> Page:
            running_stack.reset(start.snapshot)
            context = closing.enter_context(traced(new_context(browser, running_stack, start.cookies), request))
            page = closing.enter_context(watched_page(context))
            page.goto(address)
            return page

        yield open_page


def _prepare(browser: Browser, stack: Stack, email: str, connect: Callable[[Page], None] | None) -> Start:
    from playwright.sync_api import expect

    from tests.journeys import steps

    stack.reset()
    context = new_context(browser, stack)
    page = context.new_page()
    steps.sign_in(page, email, then="/settings/")
    cookies = context.storage_state()
    if connect is not None:
        connect(page)
        expect(page.get_by_text("All users have been looked up.")).to_be_visible()
        page.get_by_role("button", name="Dismiss").click()
        expect(page.get_by_text("All users have been looked up.")).to_have_count(0)
    context.close()
    return Start(stack.keep(), cookies)
