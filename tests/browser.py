"""Contexts and pages of a real browser that uses the stack."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from demo.programs import BASE_DIR
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState

RESULTS = BASE_DIR / "test-results"


# The first has no window code: the tests take half the time.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")


def find_chromium() -> str:
    """Return CHROMIUM or a program on the path. Without one, skip the test, or fail if CI is set."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        reason = "There is no browser: install Debian's package chromium, or name one in CHROMIUM."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return program


def new_context(browser: Browser, stack: Stack, cookies: StorageState | None = None) -> BrowserContext:
    """Return a new browser context, with `cookies` if they are given."""
    context = browser.new_context(
        base_url=stack.url,
        viewport={"width": 1280, "height": 900},
        locale="en-GB",
        storage_state=cookies,
        # A click waits for animations to end.
        reduced_motion="reduce",
    )
    context.set_default_timeout(60_000)
    return context


@contextmanager
def traced(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """Close `context` in the end. If the test fails, save its pages and a trace in test-results/.

    The trace lists actions and requests. With TRACE=full, it has snapshots too, and tests take a third longer.
    """
    is_full = os.environ.get("TRACE") == "full"
    context.tracing.start(screenshots=is_full, snapshots=is_full)
    yield context
    report = getattr(request.node, "report_of_call", None)
    if report is not None and report.failed:
        _keep(context, re.sub(r"[^\w-]+", "-", request.node.name))
    context.close()


@contextmanager
def watched_page(context: BrowserContext) -> Iterator[Page]:
    """Yield a page. The test fails if a script breaks or the Content-Security-Policy blocks something."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            complaints.append(message.text)

    page = context.new_page()
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == [], complaints


def _keep(context: BrowserContext, name: str) -> None:
    folder = RESULTS / name
    folder.mkdir(parents=True, exist_ok=True)
    context.tracing.stop(path=folder / "trace.zip")
    for number, page in enumerate(context.pages, start=1):
        page.screenshot(path=folder / f"page-{number}.png", full_page=True)
        (folder / f"page-{number}.html").write_text(page.content())
