"""What every test may use; the servers behind it are started by `tests.servers`."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import Settings

from integrations import platforms
from local_servers.servers import throwaway_folder
from tests.browser import find_chromium
from tests.integrations.fake_platform import FakePlatform
from tests.stack import Stack
from tests.starts import (
    Start,
    ada_after,
    ada_after_with_many,
    ada_before,
    ada_hosting,
    open_page,
    otto_after,
    otto_before,
)

# Properties are looked for in the same places by everybody, so that nobody's change fails for another one's fault; to
# look elsewhere and for longer: HYPOTHESIS_PROFILE=long. What fails is printed so that it can be repeated.
_profile = hypothesis(deadline=None, print_blob=True, suppress_health_check=list(HealthCheck), database=None)
hypothesis.register_profile("ci", _profile, derandomize=True, max_examples=60, stateful_step_count=40)
hypothesis.register_profile("long", _profile, max_examples=200, stateful_step_count=60)
hypothesis.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

__all__ = [
    "ada_after",
    "ada_after_with_many",
    "ada_before",
    "ada_hosting",
    "open_page",
    "otto_after",
    "otto_before",
]


@pytest.fixture(scope="session")
def running_stack() -> Iterator[Stack]:
    """The one stack of this run; use `stack`, which brings it to a known state."""
    with throwaway_folder() as folder:
        stack = Stack(folder, os.environ["DATABASE_URL"])
        try:
            stack.open()
            yield stack
        finally:
            stack.close()


@pytest.fixture
def start() -> Start | None:
    """Where `stack` begins: freshly seeded, unless a module says otherwise (`tests.starts`)."""
    return None


@pytest.fixture
def stack(running_stack: Stack, start: Start | None) -> Stack:
    """A whole installation in processes of its own, at its start."""
    running_stack.reset(start.moment if start else None)
    return running_stack


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program."""
    return find_chromium()


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium without a window."""
    # Chromium's sandbox does not work for root; of Playwright's own accord it is off.
    with sync_playwright() as playwright:
        expect.set_options(timeout=15_000)
        browser = playwright.chromium.launch(executable_path=chromium, headless=True)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """A hash that takes no time; real ones take a quarter of a second on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def fake_teams(db: None, monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    """A platform in memory in the place of Microsoft Teams."""
    fake = FakePlatform("teams")
    monkeypatch.setitem(platforms._platforms, "teams", fake)
    return fake


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what the stack's programs printed, and other fixtures can ask whether one happened."""
    report = yield
    fixtures = getattr(item, "funcargs", {})
    if report.failed and "stack" in fixtures:
        report.sections += [(f"Output of {name}", text) for name, text in fixtures["stack"].logs().items()]
    setattr(item, f"report_of_{report.when}", report)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where CI is set, a skipped test is a failure: it proved nothing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("Tests were skipped, which CI=true forbids.", red=True)
