"""Fixtures that every test may use. Import Playwright only in functions: it is slow, and few tests need it."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from integrations.platforms.registry import _platforms
from local_servers.servers import throwaway_folder
from tests import quick_flush
from tests.browser import find_chromium
from tests.cast import ada, as_ada, as_sam, as_sky, maple, otto, sam, sky
from tests.integrations.fake_platform import FakePlatform
from tests.stack import Stack
from tests.start_states import (
    Start,
    ada_after,
    ada_after_with_many,
    ada_before,
    ada_hosting,
    open_page,
    otto_after,
    otto_before,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = [
    "ada",
    "ada_after",
    "ada_after_with_many",
    "ada_before",
    "ada_hosting",
    "as_ada",
    "as_sam",
    "as_sky",
    "maple",
    "open_page",
    "otto",
    "otto_after",
    "otto_before",
    "sam",
    "sky",
]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(servers: None, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Start the servers before pytest-django creates the test database."""
    quick_flush.install()


@pytest.fixture(scope="session")
def running_stack(servers: None) -> Iterator[Stack]:
    """The only stack of this run; use `stack`, which resets it to a known state."""
    with throwaway_folder() as folder:
        stack = Stack(
            folder, os.environ["DATABASE_URL"], template=os.environ.get("TEST_DATABASE_TEMPLATE", "template1")
        )
        try:
            stack.open()
            yield stack
        finally:
            stack.close()


@pytest.fixture
def start() -> Start | None:
    """The start state of `stack`: None for freshly seeded; a module may override it (`tests.start_states`)."""
    return None


@pytest.fixture
def stack(running_stack: Stack, start: Start | None) -> Stack:
    """A whole installation in its own processes, in its start state."""
    running_stack.reset(start.snapshot if start else None)
    return running_stack


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser's program."""
    return find_chromium()


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium without a window."""
    from playwright.sync_api import expect, sync_playwright

    # Chromium's sandbox does not work for root; Playwright switches it off by default.
    with sync_playwright() as playwright:
        expect.set_options(timeout=60_000)
        browser = playwright.chromium.launch(executable_path=chromium, headless=True)
        yield browser
        browser.close()


@pytest.fixture
def fake_teams(db: None, monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    """A platform in memory that replaces Microsoft Teams."""
    fake = FakePlatform("teams")
    monkeypatch.setitem(_platforms, "teams", fake)
    return fake


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Collect garbage as rarely as the web server does, and never what was loaded before the first test.

    The modules and thousands of test items stay until the end, so looking through them again and again finds nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the output of the stack's programs to a failure, and store the report for other fixtures."""
    report = yield
    fixtures = getattr(item, "funcargs", {})
    if report.failed and "stack" in fixtures:
        report.sections += [(f"Output of {name}", text) for name, text in fixtures["stack"].logs().items()]
    setattr(item, f"report_of_{report.when}", report)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """If CI is set, treat a skipped test as a failure: it proved nothing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("Tests were skipped, which CI=true forbids.", red=True)
