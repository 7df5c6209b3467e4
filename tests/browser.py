"""Pages in a real browser before the stack."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState

from demo.programs import BASE_DIR
from tests.stack import Stack

RESULTS = BASE_DIR / "test-results"


# The first is made for tests: it draws no window, which takes half of the others' time.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")


def find_chromium() -> str:
    """The program: CHROMIUM, else one on the path. Skips without one, or fails where CI is set."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        reason = "There is no browser: install Debian's package chromium, or name one in CHROMIUM."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return program


def new_context(browser: Browser, stack: Stack, cookies: StorageState | None = None) -> BrowserContext:
    """A fresh profile, or one that holds `cookies`."""
    context = browser.new_context(
        base_url=stack.url,
        viewport={"width": 1280, "height": 900},
        locale="en-GB",
        storage_state=cookies,
        # Nothing glides: a click waits until its button stands still.
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    return context


@contextmanager
def traced(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """Closes `context` in the end. When the test fails, its pages and a trace are kept in test-results/.

    The trace lists what was done and asked for; with TRACE=full it shows every moment, for a third more time.
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
    """A page. The test fails when a script breaks or the Content-Security-Policy refuses something."""
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
