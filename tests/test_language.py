"""The language check of `make lint` finds the words that it bans."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / ".ci" / "language.py"


def check(folder: Path, name: str, text: str) -> subprocess.CompletedProcess[str]:
    """Run the check on a repository with one file."""
    (folder / name).write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run(["git", "add", name], cwd=folder, check=True)
    return subprocess.run([sys.executable, SCRIPT], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("name", "text", "finding"),
    [
        (
            "a.py",
            '"""Whoever may host."""\n',
            "a.py:1: a docstring starts with a verb or a noun, not with: Whoever",
        ),
        ("a.py", '"""Text."""\n\n# Tell somebody.\n', "a.py:3: banned: somebody"),
        ("a.py", "def test_mend_it():\n    pass\n", "a.py:1: banned: mend"),
        ("a.md", "First.\n\nIt is sent anew.\n", "a.md:3: banned: anew"),
        ("a.html", "<p>\n{# For nobody. #}</p>\n", "a.html:2: banned: nobody"),
        ("a.js", "// It shall go.\n", "a.js:1: banned: shall"),
    ],
)
def test_a_banned_word_is_found(tmp_path: Path, name: str, text: str, finding: str) -> None:
    done = check(tmp_path, name, text)

    assert finding in done.stdout.splitlines()
    assert done.returncode == 1


def test_code_and_page_text_are_not_checked(tmp_path: Path) -> None:
    done = check(tmp_path, "a.py", '"""Return a label."""\n\nLABEL = "Nobody matches"\n')

    assert (done.stdout.strip(), done.returncode) == ("The language check found nothing.", 0)
