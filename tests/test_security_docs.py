"""Citations in docs/security.md: each test and each piece of code exists, and each requirement has a row."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ASVS: Final = "ASVS 4.0.3, level 2"
PAGE = (ROOT / "docs" / "security.md").read_text()

#: Text in backticks that is a file or a folder, with or without a name in that file.
_CITATION: Final = re.compile(
    r"`((?:[\w.-]+/)+[\w.-]*|[\w.-]+\.(?:py|md|yml|txt|json|example)|Dockerfile|\.dockerignore)(?:::([\w.]+))?`"
)
#: Requirements of ASVS 4.0.3 for the levels 1 and 2, as section and last parts of their ids.
_REQUIREMENTS: Final = """
1.1: 1 2 3 4 5 6 7
1.2: 1 2 3 4
1.4: 1 4 5
1.5: 1 2 3 4
1.6: 1 2 3 4
1.7: 1 2
1.8: 1 2
1.9: 1 2
1.10: 1
1.11: 1 2
1.12: 2
1.14: 1 2 3 4 5 6
2.1: 1 2 3 4 5 6 7 8 9 10 11 12
2.2: 1 2 3
2.3: 1 2 3
2.4: 1 2 3 4 5
2.5: 1 2 3 4 5 6 7
2.6: 1 2 3
2.7: 1 2 3 4 5 6
2.8: 1 2 3 4 5 6 7
2.9: 1 2 3
2.10: 1 2 3 4
3.1: 1
3.2: 1 2 3 4
3.3: 1 2 3 4
3.4: 1 2 3 4 5
3.5: 1 2 3
3.7: 1
4.1: 1 2 3 5
4.2: 1 2
4.3: 1 2 3
5.1: 1 2 3 4 5
5.2: 1 2 3 4 5 6 7 8
5.3: 1 2 3 4 5 6 7 8 9 10
5.4: 1 2 3
5.5: 1 2 3 4
6.1: 1 2 3
6.2: 1 2 3 4 5 6
6.3: 1 2
6.4: 1 2
7.1: 1 2 3 4
7.2: 1 2
7.3: 1 3 4
7.4: 1 2 3
8.1: 1 2 3 4
8.2: 1 2 3
8.3: 1 2 3 4 5 6 7 8
9.1: 1 2 3
9.2: 1 2 3 4
10.2: 1 2
10.3: 1 2 3
11.1: 1 2 3 4 5 6 7 8
12.1: 1 2 3
12.2: 1
12.3: 1 2 3 4 5 6
12.4: 1 2
12.5: 1 2
12.6: 1
13.1: 1 3 4 5
13.2: 1 2 3 5 6
13.3: 1 2
13.4: 1 2
14.1: 1 2 3 4
14.2: 1 2 3 4 5 6
14.3: 2 3
14.4: 1 2 3 4 5 6 7
14.5: 1 2 3 4
"""


def _required_ids() -> set[str]:
    sections = (line.split(": ") for line in _REQUIREMENTS.split("\n") if line)
    return {f"{section}.{number}" for section, numbers in sections for number in numbers.split()}


def _rows(heading: str) -> list[list[str]]:
    """Return the cells of each row of the tables below a heading of level 2."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    tables = re.findall(r"^\|[-|]+\|\n((?:\|.*\n)+)", section, re.MULTILINE)
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for table in tables for line in table.splitlines()]


def _ids(row: list[str]) -> list[str]:
    return re.findall(r"\b\d+\.\d+\.\d+\b", row[0])


@cache
def _names_in(path: Path) -> set[str]:
    """Return the names of functions, classes and constants in a module, methods and fields as `Class.name`."""
    module = ast.parse(path.read_text())
    names = _names_of(module)
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{name}" for name in _names_of(node)}
    return names


def _names_of(parent: ast.Module | ast.ClassDef) -> set[str]:
    names = set()
    for node in parent.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def _exists(path: str, name: str) -> bool:
    cited = ROOT / path
    return cited.exists() and (not name or (cited.suffix == ".py" and name in _names_in(cited)))


def test_every_cited_test_and_every_cited_piece_of_code_exists() -> None:
    citations = sorted(set(_CITATION.findall(PAGE)))

    assert len([path for path, name in citations if path.startswith("tests/") and name]) > 100
    assert [f"{path}::{name}".rstrip(":") for path, name in citations if not _exists(path, name)] == []


def test_every_name_of_a_test_is_cited_with_its_file() -> None:
    assert re.findall(r"(?<!::)\btest_\w+\b(?!\.py|/)", PAGE) == []


def test_every_requirement_of_asvs_has_exactly_one_row() -> None:
    ids = [each for row in _rows(ASVS) for each in _ids(row)]

    assert (sorted(_required_ids() - set(ids)), sorted(set(ids) - _required_ids())) == ([], [])
    assert sorted(ids) == sorted(set(ids))


def test_a_requirement_is_met_by_something_and_tested_or_reviewed() -> None:
    rows = _rows(ASVS)

    assert {met for _requirement, met, _by, _test in rows} == {"yes", "no", "not applicable"}
    # If it isn't met or doesn't apply, the third cell is the reason.
    assert [row for row in rows if not row[2]] == []
    assert [row for row in rows if row[1] == "yes" and not _is_proof(row[3])] == []


def test_a_threat_is_mitigated_and_tested_or_named_as_not_mitigated() -> None:
    rows = [(by, test) for _threat, by, test in _rows("Threats")]

    assert len(rows) > 50
    assert [by for by, test in rows if "**not mitigated**" not in by and not _is_proof(test)] == []
    # What isn't mitigated has a reason.
    assert [by for by, _test in rows if re.fullmatch(r"\*\*not mitigated\*\*:?", by)] == []


def _is_proof(test: str) -> bool:
    return test == "reviewed" or "::test_" in test
