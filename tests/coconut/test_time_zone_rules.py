"""Time zone rules come from the pinned package, not from the machine."""

from __future__ import annotations

import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import run_checks


def test_every_process_uses_the_rules_of_the_package(tmp_path: Path) -> None:
    """Give the machine a wrong file for Vancouver, and read its offset in a new process."""
    (tmp_path / "America").mkdir()
    wrong = resources.files("tzdata.zoneinfo").joinpath("UTC").read_bytes()
    (tmp_path / "America/Vancouver").write_bytes(wrong)
    code = (
        "import coconut, datetime, zoneinfo; "
        "print(datetime.datetime(2026, 7, 7, tzinfo=zoneinfo.ZoneInfo('America/Vancouver')).utcoffset())"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONTZPATH": str(tmp_path)},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "-1 day, 17:00:00"


def test_vancouver_no_longer_changes_its_clocks() -> None:
    nine = datetime(2026, 12, 7, 9, tzinfo=zoneinfo.ZoneInfo("America/Vancouver"))

    assert nine.astimezone(UTC) == datetime(2026, 12, 7, 16, tzinfo=UTC)


def test_a_check_reports_rules_of_the_machine(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    request.addfinalizer(lambda: zoneinfo.reset_tzpath(to=()))
    zoneinfo.reset_tzpath(to=[str(tmp_path)])

    assert [message.msg for message in run_checks() if message.id == "coconut.E019"] == [
        f"Time zone rules come from {tmp_path}, not from the package tzdata."
    ]
