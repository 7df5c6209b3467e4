"""Static files of the browser libraries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client as Browser
from pytest_django import Settings

from coconut.web.static_files import VENDOR_FILES, VendorFinder


@pytest.mark.parametrize("name", VENDOR_FILES)
def test_a_listed_file_is_found(name: str, settings: Settings) -> None:
    assert finders.find(name) == str(settings.BASE_DIR / "node_modules" / VENDOR_FILES[name])


@pytest.mark.parametrize(
    "name", ["vendor/tabler/package.json", "@tabler/core/package.json", "vendor/../../manage.py", ""]
)
def test_an_unlisted_file_is_not_found(name: str) -> None:
    assert VendorFinder().find(name) == []
    assert VendorFinder().find(name, find_all=True) == []


def test_collectstatic_gets_every_file_once() -> None:
    names = [name for name, storage in VendorFinder().list([])]

    assert names == list(VENDOR_FILES)


def test_collectstatic_can_leave_files_out() -> None:
    names = [name for name, storage in VendorFinder().list(["*.map"])]

    assert names == [name for name in VENDOR_FILES if not name.endswith(".map")]


@pytest.mark.parametrize("name", [name for name in VENDOR_FILES if name.endswith((".js", ".css"))])
def test_the_source_maps_of_listed_files_are_listed_too(name: str) -> None:
    """Otherwise `collectstatic` fails with the manifest storage."""
    text = Path(str(VendorFinder().find(name))).read_text()
    named = re.findall(r"sourceMappingURL=([^\s*]+)", text) + re.findall(r"url\(\"?(?!data:|#)([^)\"?#]+)", text)

    missing = [other for other in named if _beside(name, other) not in VENDOR_FILES]

    assert missing == []


def test_a_listed_file_is_served(client: Browser) -> None:
    answer = client.get("/static/vendor/tabler/tabler.min.css")

    assert (answer.status_code, answer["Content-Type"]) == (200, 'text/css; charset="utf-8"')


def test_collected_files_do_not_need_node_modules(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VENDOR_FILES, "vendor/gone.js", "gone/gone.js")
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "gone.js").touch()
    settings.STATIC_ROOT = tmp_path

    assert VendorFinder().check() == []


def _beside(name: str, other: str) -> str:
    return (Path(name).parent / other).as_posix()
