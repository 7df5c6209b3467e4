"""Neutral code and templates don't name one video platform."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NEUTRAL = ("integrations", "appointments", "templates/integrations", "templates/appointments")
# Migrations repeat the words of the models.
SKIPPED = ("integrations/teams/", "integrations/migrations/", "appointments/migrations/")
PLATFORM = re.compile(r"upn|tenant|\bgraph\b|\bentra\b|microsoft|polic(y|ies)", re.IGNORECASE)
#: HTTP headers of the web platform.
HEADERS = re.compile(r"(Referrer|Content-Security|Permissions)-Policy")
#: Lines that are free to name a platform, by file and a part of the line.
ALLOWED = {
    # Examples of a label in the interface that every platform implements.
    ("integrations/platforms/base.py", 'such as "access policy"'),
    # A public path, which stays.
    ("integrations/urls.py", "policy-script/"),
}


def neutral_files() -> Iterator[str]:
    for folder in NEUTRAL:
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in {".py", ".html", ".txt"} and not name.startswith(SKIPPED):
                yield name


def lines_with_platform_words(name: str) -> Iterator[str]:
    for line in (ROOT / name).read_text().splitlines():
        if PLATFORM.search(HEADERS.sub("", line)):
            yield line


def test_neutral_files_use_no_word_of_one_platform() -> None:
    found = [
        f"{name}: {line.strip()}"
        for name in neutral_files()
        for line in lines_with_platform_words(name)
        if not any(name == allowed and part in line for allowed, part in ALLOWED)
    ]
    assert not found


@pytest.mark.parametrize(("name", "part"), sorted(ALLOWED))
def test_every_exception_is_still_needed(name: str, part: str) -> None:
    assert any(part in line for line in lines_with_platform_words(name))


@pytest.mark.parametrize("line", ["remote_upn", "the Tenant", "Microsoft Teams", "an access policy", "Graph"])
def test_a_platform_word_is_found(line: str) -> None:
    assert PLATFORM.search(line)
