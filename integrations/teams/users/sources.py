"""Sources of users: filters by name, or a listing of all users."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, Protocol, TypeVar

from django.conf import settings

from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.graph.client import GraphClient
from integrations.teams.users.filters import (
    FilterQuery,
    FilterResults,
    filters_of,
    has_mail,
    has_proxy_address,
    has_user_name,
    parse_users,
)
from integrations.teams.users.lookup_cost import NAMES_PER_CHUNK, PAGE_SIZE
from integrations.teams.users.parse import BASIC_FIELDS, FULL_FIELDS, User, fold

# Results per chunk after all users have been read.
NAMES_FROM_MEMORY: Final = 1000
# Reading all users may take this share of a task's time limit. The rest is for writing the results.
SHARE_OF_TASK: Final = 1 / 3
# Pages after which their speed is known.
PAGES_TO_TIME: Final = 3
# Times that a listing is read from its first page before the names are queried instead.
MOST_READINGS: Final = 3

UsersByKey = Mapping[str, Sequence[User]]
T = TypeVar("T")


@dataclass(frozen=True)
class Answers:
    """Users by the queried keys, keys that Graph refused, and keys without an answer because of `error`."""

    users: UsersByKey = field(default_factory=dict)
    refused: Collection[str] = ()
    unanswered: Collection[str] = ()
    error: PlatformError | None = None

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Return the keys that no user has."""
        return [key for key in keys if not (key in self.users or key in self.refused or key in self.unanswered)]


class Source(Protocol):
    """Source of users. Keys are folded names and addresses. Answers may hold more users than requested."""

    chunk_size: int

    def by_user_name(self, keys: Sequence[str]) -> Answers:
        """Return the users with these user names."""
        ...

    def by_address(self, keys: Sequence[str]) -> Answers:
        """Return the users with these email addresses."""
        ...


class FilteredSource:
    """Source that filters by names."""

    chunk_size = NAMES_PER_CHUNK

    def __init__(self, client: GraphClient, has_profiles: bool) -> None:
        self._query = FilterQuery(client, _fields(has_profiles))
        self._has_profiles = has_profiles

    def by_user_name(self, keys: Sequence[str]) -> Answers:
        results = self._query.run(filters_of(keys, has_user_name))
        return _answers(results, _by_user_name(results.users))

    def by_address(self, keys: Sequence[str]) -> Answers:
        filters = list(filters_of(keys, has_mail))
        if self._has_profiles:
            filters += filters_of(keys, has_proxy_address)
        results = self._query.run(filters)
        return _answers(results, _by_address(results.users))


class CannotList(Exception):
    """All users can't be read in one task: Graph refuses, the pages come too slowly, or the listing breaks again."""


class FullSource:
    """Source that reads all users once and keeps them in memory."""

    chunk_size = NAMES_FROM_MEMORY

    def __init__(self, client: GraphClient, has_profiles: bool) -> None:
        self._client = client
        self._params = {"$select": _fields(has_profiles), "$top": str(PAGE_SIZE)}
        self._by_user_name = Answers()
        self._by_address = Answers()

    def read(self, expected_pages: int) -> None:
        """Read all users. Raises CannotList and PlatformError."""
        started = monotonic()
        for _ in range(MOST_READINGS):
            try:
                users = list(self._list_users(started, expected_pages))
            except PlatformError as error:
                if error.kind == ErrorKind.BUG:
                    raise CannotList from error
                # The listing broke, such as by an expired page token. It can't be resumed, only restarted.
                if error.kind != ErrorKind.UNUSABLE:
                    raise
            else:
                self._by_user_name, self._by_address = Answers(_by_user_name(users)), Answers(_by_address(users))
                return
        raise CannotList

    def _list_users(self, started: float, expected_pages: int) -> Iterator[User]:
        pages = self._client.pages("/users", params=self._params)
        return parse_users(self._client, _in_time(pages, started, expected_pages))

    def by_user_name(self, keys: Sequence[str]) -> Answers:
        return self._by_user_name

    def by_address(self, keys: Sequence[str]) -> Answers:
        return self._by_address


def _in_time(pages: Iterable[T], started: float, expected: int) -> Iterator[T]:
    max_seconds = settings.CELERY_TASK_TIME_LIMIT * SHARE_OF_TASK
    for number, page in enumerate(pages, 1):
        if number >= PAGES_TO_TIME and (monotonic() - started) / number * expected > max_seconds:
            raise CannotList
        yield page


def _fields(has_profiles: bool) -> str:
    return FULL_FIELDS if has_profiles else BASIC_FIELDS


def _answers(results: FilterResults, users: UsersByKey) -> Answers:
    return Answers(users, results.refused, results.unanswered, results.error)


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
