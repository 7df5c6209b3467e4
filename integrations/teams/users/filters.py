"""Query users by filters: 15 values per filter, 20 filters per request.

A query keeps what Graph answered: after a partly refused batch, only the rest has to be queried again. If Graph refuses
a filter, its values are halved until the refused one stands alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.graph.client import BATCH_SIZE, Get, GraphClient
from integrations.teams.graph.errors import Refusal, error_of, most_serious
from integrations.teams.users.lookup_cost import VALUES_PER_FILTER
from integrations.teams.users.parse import User, read_user

T = TypeVar("T")

# After these errors, the same request may succeed later.
_TEMPORARY: Final = (ErrorKind.THROTTLED, ErrorKind.OUTAGE)


@dataclass(frozen=True)
class Filter:
    """A filter for values. `condition` returns its text for any of them."""

    values: Sequence[str]
    condition: Callable[[Sequence[str]], str]

    def halves(self) -> tuple[Filter, Filter]:
        middle = len(self.values) // 2
        return Filter(self.values[:middle], self.condition), Filter(self.values[middle:], self.condition)


def filters_of(values: Sequence[str], condition: Callable[[Sequence[str]], str]) -> Iterator[Filter]:
    """Return filters with as many values as Graph accepts."""
    starts = range(0, len(values), VALUES_PER_FILTER)
    return (Filter(values[start : start + VALUES_PER_FILTER], condition) for start in starts)


def has_user_name(names: Sequence[str]) -> str:
    return f"userPrincipalName in ({_quoted_list(names)})"


def has_mail(addresses: Sequence[str]) -> str:
    return f"mail in ({_quoted_list(addresses)})"


def has_proxy_address(addresses: Sequence[str]) -> str:
    """Return a filter for `proxyAddresses`.

    The operator `in` doesn't work on lists (learn.microsoft.com/graph/filter-query-parameter).
    """
    return " or ".join(f"proxyAddresses/any(p:p eq {_quoted(f'smtp:{address}')})" for address in addresses)


def _quoted_list(values: Sequence[str]) -> str:
    return ",".join(map(_quoted, values))


def _quoted(value: str) -> str:
    """Quote a string for a filter. Apostrophes are doubled (learn.microsoft.com/graph/filter-query-parameter)."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


# Accepted by Graph whenever it accepts filters. The domain can't exist (RFC 2606).
_FAULTLESS: Final = Filter(["nobody@coconut.invalid"], has_user_name)


@dataclass
class FilterResults:
    """Users that Graph returned, values that it refused, and values without an answer because of `error`."""

    users: list[User] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    error: PlatformError | None = None
    is_stopped: bool = False

    def record_failure(self, filters: Iterable[Filter], error: PlatformError) -> None:
        """Note that the filters have no answer. If the error isn't of one filter alone, stop."""
        self.unanswered.update(value for each in filters for value in each.values)
        self.error = error if self.error is None else most_serious([self.error, error])
        self.is_stopped |= error.kind in _TEMPORARY


class FilterQuery:
    """Filter queries of one pass over the staff."""

    def __init__(self, client: GraphClient, fields: str) -> None:
        self._client = client
        self._fields = fields
        self._has_accepted = False

    def run(self, filters: Iterable[Filter]) -> FilterResults:
        """Query all filters, and stop after a temporary failure. Raises PlatformError if there are no results."""
        results, pending = FilterResults(), deque(filters)
        while pending and not results.is_stopped:
            batch = [pending.popleft() for _ in range(min(BATCH_SIZE, len(pending)))]
            for refused in self._run_batch(batch, results):
                if len(refused.values) > 1:
                    pending.extendleft(refused.halves())
                else:
                    results.refused.update(refused.values)
        results.unanswered.update(value for each in pending for value in each.values)
        return results

    def _run_batch(self, batch: Sequence[Filter], results: FilterResults) -> list[Filter]:
        """Query up to twenty filters and return the refused ones."""
        try:
            answers = self._client.batch_results([self._get(each) for each in batch])
        except PlatformError as error:
            if error.kind == ErrorKind.BUG:
                return self._run_halves(batch, results)
            if error.kind not in (*_TEMPORARY, ErrorKind.UNUSABLE):
                raise
            results.record_failure(batch, error)
            results.is_stopped = True
            return []
        refused = [each for each, answer in zip(batch, answers, strict=True) if self._is_refused(each, answer, results)]
        if refused:
            self._require_accepted_filter()
        return refused

    def _run_halves(self, batch: Sequence[Filter], results: FilterResults) -> list[Filter]:
        """Find the filter for which Graph refuses the whole batch."""
        self._require_accepted_filter()
        middle = len(batch) // 2
        if not middle:
            return list(batch)
        return self._run_batch(batch[:middle], results) + self._run_batch(batch[middle:], results)

    def _is_refused(self, query: Filter, answer: Any, results: FilterResults) -> bool:
        """Add the answer to the results. Return whether to query the values of the filter one by one."""
        try:
            users = self._users_of(answer)
        except PlatformError as error:
            if error.kind == ErrorKind.CONNECTION:
                raise
            is_alone = len(query.values) == 1
            if error.kind not in _TEMPORARY and not (is_alone and error.kind == ErrorKind.UNUSABLE):
                return True
            results.record_failure([query], error)
            return False
        results.users += users
        self._has_accepted = True
        return False

    def _users_of(self, answer: Any) -> list[User]:
        if isinstance(answer, Refusal):
            raise error_of(answer)
        return list(parse_users(self._client, self._client.rows_from(answer)))

    def _require_accepted_filter(self) -> None:
        """Raise Graph's error if it refuses even a faultless filter. Then no name is at fault."""
        if not self._has_accepted:
            (answer,) = self._client.batch_results([self._get(_FAULTLESS)])
            self._users_of(answer)
            self._has_accepted = True

    def _get(self, query: Filter) -> Get:
        return "/users", {"$select": self._fields, "$filter": query.condition(query.values)}


def parse_users(client: GraphClient, pages: Iterable[list[dict[str, Any]]]) -> Iterator[User]:
    """Return the users of pages. Raises PlatformError for a row that isn't a user."""
    for row in (row for page in pages for row in page):
        try:
            user = read_user(row)
        except ValueError as error:
            raise client.unknown_shape(str(error)) from error
        if user is not None:
            yield user
