"""A real browser before the stack at its start."""

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
    """A fresh profile, or that of whoever is signed in at the start. What a test that fails saw is kept."""
    with traced(new_context(browser, stack, start.cookies if start else None), request) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page. The test fails when a script breaks or the Content-Security-Policy refuses something."""
    with watched_page(context) as page:
        yield page
