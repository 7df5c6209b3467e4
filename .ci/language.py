"""Check the language of docstrings, comments, test names and documentation. `make lint` runs it.

It finds what a script can find: docstrings that start with a question word, and words that CONTRIBUTING.md bans.
Words on pages and in emails aren't checked, as the article decides some of them.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

BANNED = re.compile(
    r"\b(whoever|whom|whomever|whatever|somebody|anybody|everybody|nobody|mends?|mended|mending|heeds?|heeded|"
    r"wish|wishes|wished|nought|hence|anew|shall|thereof|by now|for ever|are told|is told|by itself|lets go|let go of|"
    r"mails|mailed|to mail|a mail|the mail|one mail|no mail|each mail)\b",
    re.IGNORECASE,
)
FIRST_WORDS = re.compile(r"(Who|Whom|Whose|Whoever|What|Whatever|Where|Wherever|How|Why|One|That|Whether)\b")
AFTER_A_QUOTE = re.compile(rf"""["']{FIRST_WORDS.pattern}""")
#: File -> words that it may contain.
ALLOWED = {
    ".ci/language.py": {"*"},
    "CONTRIBUTING.md": {"*"},
    "tests/test_access.py": {"nobody"},  # a role of the table
}
COMMENT_IN = {
    ".html": re.compile(r"\{#(.*?)#\}|\{% comment %\}(.*?)\{% endcomment %\}|<!--(.*?)-->", re.DOTALL),
    ".js": re.compile(r"//.*|/\*[\s\S]*?\*/"),
    ".css": re.compile(r"/\*(.*?)\*/", re.DOTALL),
}


def main() -> int:
    """Print each finding as `file:line: text`; return 1 if there are any."""
    files = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split("\n")
    findings = [line for name in files if name for line in _findings(Path(name))]
    print("\n".join(findings) or "The language check found nothing.")
    return 1 if findings else 0


def _findings(path: Path) -> Iterator[str]:
    allowed = ALLOWED.get(str(path), set())
    if "*" in allowed or "migrations" in path.parts or not path.is_file():
        return
    # Parsing takes a hundred times as long as searching, and few files have such a word in any place.
    for line, text in _prose(path) if _may_be_banned(path) else ():
        for match in BANNED.finditer(text):
            if match.group().lower() not in allowed:
                yield f"{path}:{line + text[: match.start()].count(chr(10))}: banned: {match.group()}"
    if path.suffix == ".py" and AFTER_A_QUOTE.search(path.read_text()):
        for line, docstring in _docstrings(path):
            if match := FIRST_WORDS.match(docstring):
                yield f"{path}:{line}: a docstring starts with a verb or a noun, not with: {match.group()}"


def _may_be_banned(path: Path) -> bool:
    if path.suffix != ".py":
        return True
    # The words of test names are separated by underscores.
    return bool(BANNED.search(path.read_text().replace("_", " ")))


def _prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of each docstring, comment, test name or document."""
    if path.suffix == ".md" or path.name in {"Makefile", ".env.example"}:
        yield 1, path.read_text()
    elif path.suffix == ".py":
        yield from _docstrings(path)
        yield from _comments(path)
        yield from _test_names(path)
    elif pattern := COMMENT_IN.get(path.suffix):
        source = path.read_text()
        for match in pattern.finditer(source):
            yield source[: match.start()].count("\n") + 1, match.group()


def _docstrings(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            if docstring is not None:
                yield node.body[0].lineno, docstring


def _comments(path: Path) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _test_names(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")


if __name__ == "__main__":
    sys.exit(main())
