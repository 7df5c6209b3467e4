"""Look up users by user name in as few requests as possible, with the reason why a user isn't found.

A lookup either filters by names, 300 per request, or reads all users, 999 per page, whichever needs fewer requests. It
switches to reading all users if so many names turn out to be missing that searching them would cost more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil
from time import monotonic
from typing import Any, Final, Protocol, TypeVar

from django.conf import settings

from coconut.fields.pasted_text import clean_identifier
from integrations.models import Connection
from integrations.platforms.values import DirectoryResult, MatchReason
from integrations.teams.graph.client import BATCH_SIZE, GraphClient
from integrations.teams.models import Method, TeamsConnection
from integrations.teams.users.lookup_cost import NAMES_PER_CHUNK, PAGE_SIZE, VALUES_PER_FILTER, LookupCost
from integrations.teams.users.parse import (
    BASIC_FIELDS,
    FULL_FIELDS,
    User,
    fold,
    is_possible_user_name,
    read_user,
)

# Results per chunk after all users have been read.
NAMES_FROM_MEMORY: Final = 1000
# Reading all users may take this share of a task's time limit. The rest is for writing the results.
SHARE_OF_TASK: Final = 1 / 3
# Pages after which their speed is known.
PAGES_TO_TIME: Final = 3
FULL_PROFILES: Final = "User.Read.All"

UsersByKey = Mapping[str, Sequence[User]]
T = TypeVar("T")


def open_directory(connection: Connection, expected: int) -> TeamsDirectory:
    """Return the directory that needs the fewest requests for `expected` names. Raises PlatformError.

    The user count costs a request itself, so it is queried only if it can save any. On a tie, all users are read: this
    costs Graph less and also resolves aliases.
    """
    client, teams = GraphClient(connection), connection.teams
    costs = LookupCost(left=expected, address_fields=2 if teams.has(FULL_PROFILES) else 1)
    if costs.name_requests > 2:
        costs.pages = _count_pages(client)
    return TeamsDirectory(client, costs, teams)


def _count_pages(client: GraphClient) -> int:
    return ceil(_count_users(client) / PAGE_SIZE)


def _count_users(client: GraphClient) -> int:
    """Return the number of users, by an advanced query (learn.microsoft.com/graph/aad-advanced-queries)."""
    number = client.request("GET", "/users/$count", headers={"ConsistencyLevel": "eventual"})
    if not isinstance(number, int):
        raise client.unknown_shape("a count of users that is no number")
    return number


class Source(Protocol):
    """Source of users. Keys are folded names and addresses. Results may hold more users than requested."""

    chunk_size: int

    def by_user_name(self, keys: Sequence[str]) -> UsersByKey:
        """Return the users with these user names."""
        ...

    def by_address(self, keys: Sequence[str]) -> UsersByKey:
        """Return the users with these email addresses."""
        ...


class TeamsDirectory:
    """The tenant's users, for one pass over the staff."""

    def __init__(self, client: GraphClient, costs: LookupCost, teams: TeamsConnection) -> None:
        self._client = client
        self._costs = costs
        self._has_profiles = teams.has(FULL_PROFILES)
        # Under an access policy, the users themselves organise the meetings.
        self._needs_licence = teams.method == Method.ACCESS_POLICY
        self._source: Source = FilteredSource(client, self._has_profiles)
        self._should_read = costs.should_read_all_first()

    @property
    def chunk_size(self) -> int:
        return self._source.chunk_size

    @property
    def is_fully_loaded(self) -> bool:
        return isinstance(self._source, FullSource)

    def find(self, user_names: Sequence[str]) -> dict[str, DirectoryResult]:
        """Look up user names as typed. Return a result for each. Raises PlatformError without any result."""
        # Rows that were written past the forms may have characters that no one sees.
        keys = {name: fold(clean_identifier(name)) for name in user_names}
        queryable = list(dict.fromkeys(key for key in keys.values() if is_possible_user_name(key)))
        holders, owners = self._find_users(len(user_names), queryable)
        return {name: self._result(key, holders.get(key, ()), owners.get(key, ())) for name, key in keys.items()}

    def _find_users(self, seen: int, queryable: Sequence[str]) -> tuple[UsersByKey, UsersByKey]:
        """Return users by name, and by address for names that no user has."""
        if self._should_read:
            self._read_all()
        holders = self._source.by_user_name(queryable)
        missing = [key for key in queryable if key not in holders]
        self._costs.record_chunk(seen, len(queryable), len(missing))
        if isinstance(self._source, FilteredSource) and self._costs.should_read_all_now(len(missing)):
            self._read_all()
        return holders, self._source.by_address(missing) if missing else {}

    def _read_all(self) -> None:
        """Read all users and use them for the rest of the pass, unless the pages come too slowly."""
        self._should_read = False
        source = FullSource(self._client, self._has_profiles)
        try:
            source.read(self._costs.pages or 0)
        except TooSlow:
            self._costs.pages = None
        else:
            self._source = source

    def _result(self, key: str, holders: Sequence[User], owners: Sequence[User]) -> DirectoryResult:
        if not key:
            return DirectoryResult(reason=MatchReason.FIELD_EMPTY)
        if holders:
            return self._found(holders[0]) if len(holders) == 1 else _ambiguous_result(holders)
        # A person may have a guest user as well as an account. The account is meant.
        owners = [user for user in owners if not user.is_guest] or owners
        if not owners:
            return DirectoryResult(reason=MatchReason.NOT_FOUND)
        if len(owners) > 1:
            return _ambiguous_result(owners)
        # Adopting a guest's user name wouldn't help, because guests can't host.
        return self._found(owners[0]) if owners[0].is_guest else _alias_result(owners[0])

    def _found(self, user: User) -> DirectoryResult:
        return DirectoryResult(user.id, user.user_name, user.name, self._blocking_reason(user))

    def _blocking_reason(self, user: User) -> MatchReason | None:
        """Return why the user can't host. None if the granted permissions don't tell."""
        if user.is_enabled is False:
            return MatchReason.DISABLED
        if user.is_guest:
            return MatchReason.GUEST
        return MatchReason.NO_LICENCE if self._needs_licence and user.is_licensed is False else None


def _alias_result(user: User) -> DirectoryResult:
    """Return the result for a user found by address only: no match, but the remedy is known."""
    return DirectoryResult(name=user.name, reason=MatchReason.ALIAS, hint=user.user_name)


def _ambiguous_result(users: Sequence[User]) -> DirectoryResult:
    """Return the result for several candidates: no match, with their names."""
    names = ", ".join(sorted(user.user_name for user in users))
    return DirectoryResult(reason=MatchReason.NOT_FOUND, hint=names[:500])


class FilteredSource:
    """Source that filters by names: 15 per filter, 20 filters per request."""

    chunk_size = NAMES_PER_CHUNK

    def __init__(self, client: GraphClient, has_profiles: bool) -> None:
        self._client = client
        self._has_profiles = has_profiles

    def by_user_name(self, keys: Sequence[str]) -> UsersByKey:
        filters = [_in_filter("userPrincipalName", chunk) for chunk in _chunks(keys, VALUES_PER_FILTER)]
        return _by_user_name(self._query(filters))

    def by_address(self, keys: Sequence[str]) -> UsersByKey:
        filters = [_in_filter("mail", chunk) for chunk in _chunks(keys, VALUES_PER_FILTER)]
        if self._has_profiles:
            filters += [_has_proxy_address(chunk) for chunk in _chunks(keys, VALUES_PER_FILTER)]
        return _by_address(self._query(filters))

    def _query(self, filters: Sequence[str]) -> Iterator[User]:
        fields = FULL_FIELDS if self._has_profiles else BASIC_FIELDS
        gets = [("/users", {"$select": fields, "$filter": condition}) for condition in filters]
        for chunk in _chunks(gets, BATCH_SIZE):
            for body in self._client.batch(chunk):
                yield from _parse_users(self._client, self._client.rows_from(body))


class TooSlow(Exception):
    """The pages come too slowly for one task."""


class FullSource:
    """Source that reads all users once and keeps them in memory."""

    chunk_size = NAMES_FROM_MEMORY

    def __init__(self, client: GraphClient, has_profiles: bool) -> None:
        self._client = client
        self._has_profiles = has_profiles
        self._user_names: UsersByKey = {}
        self._addresses: UsersByKey = {}

    def read(self, expected_pages: int) -> None:
        """Read all users. Raises TooSlow if it would take too long."""
        fields = FULL_FIELDS if self._has_profiles else BASIC_FIELDS
        pages = self._client.pages("/users", params={"$select": fields, "$top": str(PAGE_SIZE)})
        users = list(_parse_users(self._client, _in_time(pages, expected_pages)))
        self._user_names, self._addresses = _by_user_name(users), _by_address(users)

    def by_user_name(self, keys: Sequence[str]) -> UsersByKey:
        return self._user_names

    def by_address(self, keys: Sequence[str]) -> UsersByKey:
        return self._addresses


def _in_time(pages: Iterable[T], expected: int) -> Iterator[T]:
    started, max_seconds = monotonic(), settings.CELERY_TASK_TIME_LIMIT * SHARE_OF_TASK
    for number, page in enumerate(pages, 1):
        if number >= PAGES_TO_TIME and (monotonic() - started) / number * expected > max_seconds:
            raise TooSlow
        yield page


def _chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _in_filter(name: str, values: Iterable[str]) -> str:
    return f"{name} in ({','.join(map(_quoted, values))})"


def _has_proxy_address(addresses: Iterable[str]) -> str:
    """Return a filter for `proxyAddresses`.

    The operator `in` doesn't work on lists (learn.microsoft.com/graph/filter-query-parameter).
    """
    terms = (_quoted(f"smtp:{address}") for address in addresses)
    return " or ".join(f"proxyAddresses/any(p:p eq {address})" for address in terms)


def _quoted(value: str) -> str:
    """Quote a string for a filter. Apostrophes are doubled (learn.microsoft.com/graph/filter-query-parameter)."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _parse_users(client: GraphClient, pages: Iterable[list[dict[str, Any]]]) -> Iterator[User]:
    for row in (row for page in pages for row in page):
        try:
            user = read_user(row)
        except ValueError as error:
            raise client.unknown_shape(str(error)) from error
        if user is not None:
            yield user


def _by_user_name(users: Iterable[User]) -> UsersByKey:
    return _index((fold(user.user_name), user) for user in users)


def _by_address(users: Iterable[User]) -> UsersByKey:
    return _index((address, user) for user in users for address in user.addresses)


def _index(pairs: Iterable[tuple[str, User]]) -> UsersByKey:
    """Group users by key. A user that Graph lists several times appears once."""
    index: defaultdict[str, dict[str, User]] = defaultdict(dict)
    for key, user in pairs:
        index[key][user.id] = user
    return {key: list(users.values()) for key, users in index.items()}
