"""Static files of the browser libraries in node_modules.

Only listed files are served, with their source maps. Whole folders would add thousands of files, and some of them refer
to missing source maps, which makes `collectstatic` fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage

# Name under STATIC_URL -> file under node_modules.
VENDOR_FILES = {
    "vendor/tabler/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "vendor/tabler/tabler.min.css.map": "@tabler/core/dist/css/tabler.min.css.map",
    "vendor/tabler/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "vendor/tabler/tabler.min.js.map": "@tabler/core/dist/js/tabler.min.js.map",
    "vendor/bootstrap-icons/bootstrap-icons.min.css": "bootstrap-icons/font/bootstrap-icons.min.css",
    "vendor/bootstrap-icons/fonts/bootstrap-icons.woff": "bootstrap-icons/font/fonts/bootstrap-icons.woff",
    "vendor/bootstrap-icons/fonts/bootstrap-icons.woff2": "bootstrap-icons/font/fonts/bootstrap-icons.woff2",
    "vendor/event-calendar/event-calendar.min.css": "@event-calendar/build/dist/event-calendar.min.css",
    "vendor/event-calendar/event-calendar.min.js": "@event-calendar/build/dist/event-calendar.min.js",
    "vendor/event-calendar/event-calendar.min.js.map": "@event-calendar/build/dist/event-calendar.min.js.map",
}


class VendorStorage(FileSystemStorage):
    """Storage of the listed files, under the names that pages use."""

    prefix = ""

    def __init__(self) -> None:
        super().__init__(location=str(settings.BASE_DIR / "node_modules"))

    def path(self, name: str) -> str:
        """Return the path of the listed file `name`. Raises KeyError for any other."""
        return super().path(VENDOR_FILES[name])


class VendorFinder(BaseFinder):
    """Finder of the listed files, for STATICFILES_FINDERS."""

    def __init__(self, app_names: Iterable[str] | None = None, *args: Any, **kwargs: Any) -> None:
        self.storage = VendorStorage()
        super().__init__(*args, **kwargs)

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """Return an error if a listed file is missing and not collected either, as it is in the image."""
        missing = [name for name in VENDOR_FILES if not self._is_installed(name)]
        if not missing or _are_collected(missing):
            return []
        return [
            Error(
                f"{len(missing)} files of the browser libraries are missing, such as {missing[0]}.",
                hint="Run: npm ci --ignore-scripts (or: make setup)",
                id="coconut.E014",
            )
        ]

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return the file of `path` (with `find_all`, a list of it), or an empty list."""
        if path not in VENDOR_FILES or not self._is_installed(path):
            return []
        found = self.storage.path(path)
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, VendorStorage]]:
        """Yield every listed file that is installed. The check reports the others."""
        for name in VENDOR_FILES:
            if not matches_patterns(name, ignore_patterns or []) and self._is_installed(name):
                yield name, self.storage

    def _is_installed(self, name: str) -> bool:
        return Path(self.storage.path(name)).is_file()


def _are_collected(names: Iterable[str]) -> bool:
    root = settings.STATIC_ROOT
    return root is not None and all(Path(root, name).is_file() for name in names)
