"""Parser for `$filter` on users: the part of OData that Graph supports.

Supports eq, in, startswith, any, and, or, and parentheses.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.directory import Person
from simulator.graph.access import Caller
from simulator.graph.protocol import GraphError
from simulator.graph.user_properties import PROPERTY_NAMES, is_visible, property_value

# microsoftgraph/microsoft-graph-docs issue 21098.
MAX_OR_CLAUSES = 15
FILTERABLE = frozenset(
    {
        "id",
        "userPrincipalName",
        "mail",
        "proxyAddresses",
        "accountEnabled",
        "userType",
        "displayName",
        "givenName",
        "surname",
        "mailNickname",
    }
)
# Properties that the directory has an index for.
INDEXED = frozenset({"id", "userPrincipalName", "mail", "proxyAddresses"})
TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z_$][\w$]*)|([(),:/]))")


@dataclass(frozen=True)
class Comparison:
    """True if property `name` has, or with `prefix` starts with, one of `values`. Ignores case."""

    name: str
    values: tuple[Any, ...]
    prefix: bool = False

    def matches(self, caller: Caller, person: Person) -> bool:
        # Graph omits rows whose property the permission doesn't expose (Microsoft: filter-query-parameter).
        if not is_visible(caller, person, self.name):
            return False
        actual = property_value(person, self.name)
        entries = actual if isinstance(actual, list) else [actual]
        if self.prefix:
            return any(str(entry or "").lower().startswith(str(self.values[0])) for entry in entries)
        return any(_lower_if_text(entry) in self.values for entry in entries)


@dataclass(frozen=True)
class Compound:
    """Conditions joined by `operator`: "or" or "and"."""

    operator: str
    parts: tuple["Comparison | Compound", ...]

    def matches(self, caller: Caller, person: Person) -> bool:
        results = (part.matches(caller, person) for part in self.parts)
        return any(results) if self.operator == "or" else all(results)


Condition = Comparison | Compound


def _lower_if_text(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def parse_filter(text: str, advanced: bool) -> Condition:
    """Parse a filter. Raises GraphError 400 for filters that Graph rejects.

    Unless `advanced`, at most 15 alternatives are allowed. Each value of `in` counts as one.
    """
    parser = _FilterParser(text)
    condition = parser.parse_or()
    if parser.position < len(parser.tokens):
        raise invalid_filter()
    alternatives = _count_alternatives(condition)
    if alternatives > MAX_OR_CLAUSES and not advanced:
        raise GraphError(
            400,
            "Request_UnsupportedQuery",
            "Too many child clauses specified in search filter expression containing 'OR' operators: "
            f"{alternatives}. Max allowed: {MAX_OR_CLAUSES}.",
        )
    return condition


def index_keys(condition: Condition) -> list[tuple[str, str]] | None:
    """Return (property, value) pairs of which a match has at least one.

    None means that no index helps and all people must be checked.
    """
    if isinstance(condition, Comparison):
        if condition.prefix or condition.name not in INDEXED or None in condition.values:
            return None
        return [(condition.name, str(value)) for value in condition.values]
    if condition.operator == "and":
        return None
    keys: list[tuple[str, str]] = []
    for part in condition.parts:
        found = index_keys(part)
        if found is None:
            return None
        keys += found
    return keys


def _count_alternatives(condition: Condition) -> int:
    if isinstance(condition, Comparison):
        return len(condition.values)
    counts = [_count_alternatives(part) for part in condition.parts]
    return sum(counts) if condition.operator == "or" else max(counts)


def invalid_filter() -> GraphError:
    return GraphError(400, "BadRequest", "Invalid filter clause")


class _FilterParser:
    """Recursive-descent parser. Tokens are pairs (is_string, text)."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[bool, str]] = []
        self.position = 0
        end = 0
        while end < len(text.rstrip()):
            match = TOKEN.match(text, end)
            if match is None:
                raise invalid_filter()
            is_string = match[1] is not None
            self.tokens.append((is_string, match[1].replace("''", "'") if is_string else match[2] or match[3]))
            end = match.end()

    def peek(self) -> str | None:
        if self.position >= len(self.tokens) or self.tokens[self.position][0]:
            return None
        return self.tokens[self.position][1]

    def take(self) -> tuple[bool, str]:
        if self.position >= len(self.tokens):
            raise invalid_filter()
        self.position += 1
        return self.tokens[self.position - 1]

    def expect(self, *words: str) -> None:
        for word in words:
            if self.take() != (False, word):
                raise invalid_filter()

    def take_string(self) -> str:
        is_string, text = self.take()
        if not is_string:
            raise invalid_filter()
        return text

    def parse_or(self) -> Condition:
        return self._parse_joined("or", self._parse_and)

    def _parse_and(self) -> Condition:
        return self._parse_joined("and", self._parse_term)

    def _parse_joined(self, word: str, read: Callable[[], Condition]) -> Condition:
        parts = [read()]
        while self.peek() == word:
            self.take()
            parts.append(read())
        return parts[0] if len(parts) == 1 else Compound(word, tuple(parts))

    def _parse_term(self) -> Condition:
        word = self.peek()
        if word == "(":
            self.take()
            inner = self.parse_or()
            self.expect(")")
            return inner
        if word is not None and word.lower() == "startswith":
            return self._parse_startswith()
        name = self._take_property_name()
        operator = self.take()
        if operator == (False, "/"):
            return self._parse_any(name)
        if operator == (False, "eq"):
            return Comparison(name, (self._take_literal(),))
        if operator == (False, "in"):
            return Comparison(name, tuple(self._take_list()))
        raise GraphError(
            400,
            "Request_UnsupportedQuery",
            f"Unsupported or invalid query filter clause specified for property '{name}' of resource 'User'.",
        )

    def _take_property_name(self) -> str:
        is_string, text = self.take()
        name = PROPERTY_NAMES.get(text.lower())
        if is_string or name is None:
            raise invalid_filter()
        if name not in FILTERABLE:
            raise GraphError(
                400,
                "Request_UnsupportedQuery",
                f"Unsupported or invalid query filter clause specified for property '{name}' of resource 'User'.",
            )
        return name

    def _parse_any(self, name: str) -> Comparison:
        self.expect("any", "(")
        variable = self.take()[1]
        self.expect(":", variable, "eq")
        value = self.take_string().lower()
        self.expect(")")
        return Comparison(name, (value,))

    def _parse_startswith(self) -> Comparison:
        self.take()
        self.expect("(")
        name = self._take_property_name()
        self.expect(",")
        value = self.take_string().lower()
        self.expect(")")
        return Comparison(name, (value,), prefix=True)

    def _take_literal(self) -> Any:
        is_string, text = self.take()
        if is_string:
            return text.lower()
        constants = {"true": True, "false": False, "null": None}
        if text not in constants:
            raise invalid_filter()
        return constants[text]

    def _take_list(self) -> list[str]:
        self.expect("(")
        values = [self.take_string().lower()]
        while self.peek() == ",":
            self.take()
            values.append(self.take_string().lower())
        self.expect(")")
        return values
