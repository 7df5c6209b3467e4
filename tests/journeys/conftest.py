"""A real browser before the stack."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from demo.programs import BASE_DIR
from tests.stack import Stack

RESULTS = BASE_DIR / "test-results"


@pytest.fixture(scope="package")
def chromium() -> str:
    """The program: CHROMIUM, else the one on the path."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        reason = "There is no browser: install Debian's package chromium, or name one in CHROMIUM."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return program


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium without a window."""
    # Chromium's sandbox does not work for root; of Playwright's own accord it is off.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, stack: Stack, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A fresh profile. When the test fails, its pages and a trace are kept in test-results/."""
    context = browser.new_context(base_url=stack.url, viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(15_000)
    context.tracing.start(screenshots=True, snapshots=True)
    yield context
    report = getattr(request.node, "report_of_call", None)
    if report is not None and report.failed:
        _keep(context, RESULTS / re.sub(r"[^\w-]+", "-", request.node.name))
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page. The test fails when a script breaks or the Content-Security-Policy refuses something."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            complaints.append(message.text)

    page = context.new_page()
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []


def _keep(context: BrowserContext, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    context.tracing.stop(path=folder / "trace.zip")
    for number, page in enumerate(context.pages, start=1):
        page.screenshot(path=folder / f"page-{number}.png", full_page=True)
