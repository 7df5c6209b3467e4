"""docs/architecture.md says where to find every module."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAP = (ROOT / "docs/architecture.md").read_text()
#: Named as Django and Celery want it, in every app.
USUAL = {"__init__", "admin", "apps", "forms", "models", "receivers", "tasks", "urls"}


def named(folder: str) -> list[str]:
    """The modules that the part about this folder lists."""
    part = MAP.partition(f"### `{folder}/`")[2].partition("\n#")[0]
    rows = [line.split("|")[2] for line in part.splitlines() if line.startswith("| ")]
    return [name for row in rows for name in re.findall(r"`([a-z_]+)`", row)]


@pytest.mark.parametrize("folder", ["integrations", "integrations/teams", "appointments"])
def test_every_module_has_one_place_in_the_map(folder: str) -> None:
    there = {file.stem for file in (ROOT / folder).glob("*.py")} - USUAL

    assert sorted(named(folder)) == sorted(there)
