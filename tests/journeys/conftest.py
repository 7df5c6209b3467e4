"""A real browser before the freshly seeded stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import new_context, traced, watched_page
from tests.stack import Stack


@pytest.fixture
def context(browser: Browser, stack: Stack, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A fresh profile. When the test fails, its pages and a trace are kept in test-results/."""
    with traced(new_context(browser, stack), request) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page. The test fails when a script breaks or the Content-Security-Policy refuses something."""
    with watched_page(context) as page:
        yield page
