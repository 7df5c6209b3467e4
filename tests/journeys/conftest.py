"""Fixtures for a real browser and a freshly seeded stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import new_context, traced, watched_page
from tests.stack import Stack
from tests.start_states import Start


@pytest.fixture
def context(
    browser: Browser, stack: Stack, start: Start | None, request: pytest.FixtureRequest
) -> Iterator[BrowserContext]:
    """A fresh browser context, or a signed-in one from the start state. A failing test keeps its trace."""
    with traced(new_context(browser, stack, start.cookies if start else None), request) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails the test on a script error or a Content-Security-Policy violation."""
    with watched_page(context) as page:
        yield page
