"""A private installation to measure."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
from playwright.sync_api import Page, sync_playwright

from local_servers.servers import Servers, throwaway_folder, throwaway_servers
from tests.servers import ENVIRONMENT
from tests.stack import Stack

_SETTINGS = "bench.support.settings"


@contextmanager
def installation(**options: Any) -> Iterator[tuple[Stack, Servers]]:
    """Run a stack with the bare views and without rate limits, and set up Django for its database.

    `options` are those of `Stack`.
    """
    os.environ.update(ENVIRONMENT)
    with throwaway_servers(broker=False) as servers, throwaway_folder() as folder:
        stack = Stack(folder, servers.database_url, settings=_SETTINGS, **options)
        stack.environment["LOG_LEVEL"] = "ERROR"
        try:
            stack.open()
            os.environ.update(stack.environment)
            django.setup()
            yield stack, servers
        finally:
            stack.close()


@contextmanager
def browser_page(stack: Stack) -> Iterator[Page]:
    """Open a page of the installation in Chromium."""
    names = ("chromium-headless-shell", "chromium")
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        sys.exit("There is no browser: install Debian's package chromium, or name one in CHROMIUM.")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium).new_page(base_url=stack.url)
