"""Lines of CSV files that spreadsheets read safely."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

# A spreadsheet runs cells with these first characters as formulas (owasp.org/www-community/attacks/CSV_Injection). The
# last four are full-width forms. All cells are quoted: a spreadsheet that separates by semicolons would split others.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Without it, Excel doesn't read the file as UTF-8.
BYTE_ORDER_MARK = "\ufeff"


class _Echo:
    """File that returns each written line."""

    def write(self, line: str) -> str:
        return line


def csv_lines(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Return the lines of the file, with the heading first. Reads the rows one by one."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield BYTE_ORDER_MARK + writer.writerow(heading)
    for row in rows:
        yield writer.writerow(map(_escape_formula, row))


def _escape_formula(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value
