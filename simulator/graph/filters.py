"""The part of OData's `$filter` that Graph understands for users."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.directory import Person
from simulator.graph.access import Caller
from simulator.graph.protocol import GraphError
from simulator.graph.user_properties import KNOWN, is_visible, value_of

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
# Who has which value is known without looking at everybody.
INDEXED = frozenset({"id", "userPrincipalName", "mail", "proxyAddresses"})
TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z_$][\w$]*)|([(),:/]))")


@dataclass(frozen=True)
class Clause:
    """`name` has one of `values` (compared without case); a prefix when `prefix` is set."""

    name: str
    values: tuple[Any, ...]
    prefix: bool = False

    def holds(self, caller: Caller, person: Person) -> bool:
        # What the permission does not expose cannot be filtered on: the row is silently missing.
        if not is_visible(caller, person, self.name):
            return False
        actual = value_of(person, self.name)
        entries = actual if isinstance(actual, list) else [actual]
        if self.prefix:
            return any(str(entry or "").lower().startswith(str(self.values[0])) for entry in entries)
        return any(_fold(entry) in self.values for entry in entries)


@dataclass(frozen=True)
class Junction:
    """Several conditions joined by `or` or `and`."""

    word: str
    parts: tuple["Clause | Junction", ...]

    def holds(self, caller: Caller, person: Person) -> bool:
        results = (part.holds(caller, person) for part in self.parts)
        return any(results) if self.word == "or" else all(results)


Condition = Clause | Junction


def _fold(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def parse(text: str, advanced: bool) -> Condition:
    """Read a filter. Raises GraphError 400 for what Graph would refuse.

    Without an advanced query at most fifteen alternatives are allowed, the values of `in` counted one by
    one (microsoftgraph/microsoft-graph-docs issue 21098).
    """
    reader = _Reader(text)
    condition = reader.alternatives()
    if reader.position < len(reader.tokens):
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


def lookup_keys(condition: Condition) -> list[tuple[str, str]] | None:
    """What alone can satisfy the condition, as (property, value); None when everybody must be looked at."""
    if isinstance(condition, Clause):
        if condition.prefix or condition.name not in INDEXED or None in condition.values:
            return None
        return [(condition.name, str(value)) for value in condition.values]
    if condition.word == "and":
        return None
    keys: list[tuple[str, str]] = []
    for part in condition.parts:
        found = lookup_keys(part)
        if found is None:
            return None
        keys += found
    return keys


def _count_alternatives(condition: Condition) -> int:
    if isinstance(condition, Clause):
        return len(condition.values)
    counts = [_count_alternatives(part) for part in condition.parts]
    return sum(counts) if condition.word == "or" else max(counts)


def invalid_filter() -> GraphError:
    return GraphError(400, "BadRequest", "Invalid filter clause")


class _Reader:
    """A recursive-descent reader over the tokens; strings are (True, text), all else (False, text)."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[bool, str]] = []
        self.position = 0
        end = 0
        while end < len(text.rstrip()):
            match = TOKEN.match(text, end)
            if match is None:
                raise invalid_filter()
            is_string = match[1] is not None
            self.tokens.append(
                (is_string, match[1].replace("''", "'") if is_string else match[2] or match[3])
            )
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

    def string(self) -> str:
        is_string, text = self.take()
        if not is_string:
            raise invalid_filter()
        return text

    def alternatives(self) -> Condition:
        return self._joined("or", self._all_of)

    def _all_of(self) -> Condition:
        return self._joined("and", self._one)

    def _joined(self, word: str, read: Callable[[], Condition]) -> Condition:
        parts = [read()]
        while self.peek() == word:
            self.take()
            parts.append(read())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def _one(self) -> Condition:
        word = self.peek()
        if word == "(":
            self.take()
            inner = self.alternatives()
            self.expect(")")
            return inner
        if word is not None and word.lower() == "startswith":
            return self._starts_with()
        name = self.property_name()
        operator = self.take()
        if operator == (False, "/"):
            return self._any(name)
        if operator == (False, "eq"):
            return Clause(name, (self._literal(),))
        if operator == (False, "in"):
            return Clause(name, tuple(self._list()))
        raise GraphError(
            400,
            "Request_UnsupportedQuery",
            f"Unsupported or invalid query filter clause specified for property '{name}' of resource 'User'.",
        )

    def property_name(self) -> str:
        is_string, text = self.take()
        name = KNOWN.get(text.lower())
        if is_string or name is None:
            raise invalid_filter()
        if name not in FILTERABLE:
            raise GraphError(
                400,
                "Request_UnsupportedQuery",
                f"Unsupported or invalid query filter clause specified for property '{name}' "
                "of resource 'User'.",
            )
        return name

    def _any(self, name: str) -> Clause:
        self.expect("any", "(")
        variable = self.take()[1]
        self.expect(":", variable, "eq")
        value = self.string().lower()
        self.expect(")")
        return Clause(name, (value,))

    def _starts_with(self) -> Clause:
        self.take()
        self.expect("(")
        name = self.property_name()
        self.expect(",")
        value = self.string().lower()
        self.expect(")")
        return Clause(name, (value,), prefix=True)

    def _literal(self) -> Any:
        is_string, text = self.take()
        if is_string:
            return text.lower()
        words = {"true": True, "false": False, "null": None}
        if text not in words:
            raise invalid_filter()
        return words[text]

    def _list(self) -> list[str]:
        self.expect("(")
        values = [self.string().lower()]
        while self.peek() == ",":
            self.take()
            values.append(self.string().lower())
        self.expect(")")
        return values
