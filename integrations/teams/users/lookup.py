"""Find people by user name in as few requests as can be, and say why somebody is not found.

There are two ways: to ask for names, three hundred in a request, or to read everybody, 999 in a page. Whichever
needs fewer requests is taken; never a request per person. Where so many turn out to be missing that looking for them
would take more, everybody is read from there on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil
from time import monotonic
from typing import Any, Final, Protocol, TypeVar

from django.conf import settings

from integrations.models import Connection
from integrations.platforms.values import DirectoryResult, MatchReason
from integrations.teams.graph.client import BATCH_SIZE, GraphClient
from integrations.teams.models import Method, TeamsConnection
from integrations.teams.users.lookup_cost import NAMES_PER_QUESTION, PAGE_SIZE, VALUES_PER_FILTER, LookupCost
from integrations.teams.users.parse import BASIC_FIELDS, FULL_FIELDS, User, fold, is_askable, read_user

# How many answers at a time the caller should write once everybody has been read.
NAMES_FROM_MEMORY: Final = 1000
# Reading everybody may take so much of a task's time limit; the rest is for writing the answers.
SHARE_OF_TASK: Final = 1 / 3
# After so many pages it is known how fast they come.
PAGES_TO_TIME: Final = 3
FULL_PROFILES: Final = "User.Read.All"

Holders = Mapping[str, Sequence[User]]
T = TypeVar("T")


def open_directory(connection: Connection, expected: int) -> TeamsDirectory:
    """The directory, by whichever way needs the fewest requests for `expected` names. Raises PlatformError.

    To learn how many users there are costs a request too, so it is asked only where it can save any. On a tie
    everybody is read: it costs Graph less, and it says for nothing whom an alias belongs to.
    """
    client, teams = GraphClient(connection), connection.teams
    costs = LookupCost(left=expected, address_fields=2 if teams.has(FULL_PROFILES) else 1)
    if costs.names_alone > 2:
        costs.pages = _count_pages(client)
    return TeamsDirectory(client, costs, teams)


def _count_pages(client: GraphClient) -> int:
    return ceil(_count_users(client) / PAGE_SIZE)


def _count_users(client: GraphClient) -> int:
    """A bare number, by an advanced query (learn.microsoft.com/graph/aad-advanced-queries)."""
    number = client.request("GET", "/users/$count", headers={"ConsistencyLevel": "eventual"})
    if not isinstance(number, int):
        raise client.unknown_shape("a count of users that is no number")
    return number


class Source(Protocol):
    """Where users come from. Keys are folded names and addresses; answers may hold more than was asked."""

    chunk_size: int

    def by_user_name(self, keys: Sequence[str]) -> Holders:
        """The users who have these user names."""
        ...

    def by_address(self, keys: Sequence[str]) -> Holders:
        """The users who have these e-mail addresses."""
        ...


class TeamsDirectory:
    """The tenant's users, open for one pass over the staff.

    `needs_licence`: whoever is found must have a Teams licence, because meetings are organised by them.
    """

    def __init__(self, client: GraphClient, costs: LookupCost, teams: TeamsConnection) -> None:
        self._client = client
        self._costs = costs
        self._has_profiles = teams.has(FULL_PROFILES)
        self._needs_licence = teams.method == Method.ACCESS_POLICY
        self._source: Source = Asked(client, self._has_profiles)
        self._should_read = costs.reads_first()

    @property
    def chunk_size(self) -> int:
        return self._source.chunk_size

    @property
    def holds_everybody(self) -> bool:
        return isinstance(self._source, Everybody)

    def find(self, user_names: Sequence[str]) -> dict[str, DirectoryResult]:
        """Look up user names as typed; one answer for each. Raises PlatformError, and then nothing was learnt."""
        keys = {name: fold(name) for name in user_names}
        asked = list(dict.fromkeys(key for key in keys.values() if is_askable(key)))
        holders, owners = self._holders(len(user_names), asked)
        return {
            name: self._answer(key, holders.get(key, ()), owners.get(key, ())) for name, key in keys.items()
        }

    def _holders(self, seen: int, asked: Sequence[str]) -> tuple[Holders, Holders]:
        """Users by name, and by address for names that no user has."""
        if self._should_read:
            self._read_everybody()
        holders = self._source.by_user_name(asked)
        missing = [key for key in asked if key not in holders]
        self._costs.note(seen, len(asked), len(missing))
        if isinstance(self._source, Asked) and self._costs.reads_now(len(missing)):
            self._read_everybody()
        return holders, self._source.by_address(missing) if missing else {}

    def _read_everybody(self) -> None:
        """Answer from memory from here on, unless the pages come too slowly."""
        self._should_read = False
        everybody = Everybody(self._client, self._has_profiles)
        try:
            everybody.read(self._costs.pages or 0)
        except TooSlow:
            self._costs.pages = None
        else:
            self._source = everybody

    def _answer(self, key: str, holders: Sequence[User], owners: Sequence[User]) -> DirectoryResult:
        if not key:
            return DirectoryResult(reason=MatchReason.FIELD_EMPTY)
        if holders:
            return self._found(holders[0]) if len(holders) == 1 else _several(holders)
        # Somebody may be a guest besides having an account: the account is meant.
        owners = [user for user in owners if not user.is_guest] or owners
        if not owners:
            return DirectoryResult(reason=MatchReason.NOT_FOUND)
        if len(owners) > 1:
            return _several(owners)
        # Nobody signs in with a guest's user name, so taking it over would help nobody.
        return self._found(owners[0]) if owners[0].is_guest else _alias(owners[0])

    def _found(self, user: User) -> DirectoryResult:
        return DirectoryResult(user.id, user.user_name, user.name, self._trouble(user))

    def _trouble(self, user: User) -> MatchReason | None:
        """Why this user cannot host. What the granted permissions do not tell is left unsaid."""
        if user.is_enabled is False:
            return MatchReason.DISABLED
        if user.is_guest:
            return MatchReason.GUEST
        return MatchReason.NO_LICENCE if self._needs_licence and user.is_licensed is False else None


def _alias(user: User) -> DirectoryResult:
    """Found by an address only: not a match, but the remedy is known."""
    return DirectoryResult(name=user.name, reason=MatchReason.ALIAS, hint=user.user_name)


def _several(users: Sequence[User]) -> DirectoryResult:
    """Which of them is meant cannot be told, so nobody is taken."""
    names = ", ".join(sorted(user.user_name for user in users))
    return DirectoryResult(reason=MatchReason.NOT_FOUND, hint=names[:500])


class Asked:
    """Asks for names: fifteen in a filter, twenty filters in a request."""

    chunk_size = NAMES_PER_QUESTION

    def __init__(self, client: GraphClient, has_profiles: bool) -> None:
        self._client = client
        self._has_profiles = has_profiles

    def by_user_name(self, keys: Sequence[str]) -> Holders:
        filters = [_is_one_of("userPrincipalName", some) for some in _parts(keys, VALUES_PER_FILTER)]
        return _by_user_name(self._ask(filters))

    def by_address(self, keys: Sequence[str]) -> Holders:
        filters = [_is_one_of("mail", some) for some in _parts(keys, VALUES_PER_FILTER)]
        if self._has_profiles:
            filters += [_is_listed(some) for some in _parts(keys, VALUES_PER_FILTER)]
        return _by_address(self._ask(filters))

    def _ask(self, filters: Sequence[str]) -> Iterator[User]:
        fields = FULL_FIELDS if self._has_profiles else BASIC_FIELDS
        gets = [("/users", {"$select": fields, "$filter": condition}) for condition in filters]
        for some in _parts(gets, BATCH_SIZE):
            for body in self._client.batch(some):
                yield from _users(self._client, self._client.rest_of(body))


class TooSlow(Exception):
    """The pages come so slowly that one task would not get through: names have to be asked for."""


class Everybody:
    """Reads the whole tenant once, and answers from memory."""

    chunk_size = NAMES_FROM_MEMORY

    def __init__(self, client: GraphClient, has_profiles: bool) -> None:
        self._client = client
        self._has_profiles = has_profiles
        self._user_names: Holders = {}
        self._addresses: Holders = {}

    def read(self, expected_pages: int) -> None:
        """Read everybody; raises TooSlow where that would take too long."""
        fields = FULL_FIELDS if self._has_profiles else BASIC_FIELDS
        pages = self._client.pages("/users", params={"$select": fields, "$top": str(PAGE_SIZE)})
        users = list(_users(self._client, _in_time(pages, expected_pages)))
        self._user_names, self._addresses = _by_user_name(users), _by_address(users)

    def by_user_name(self, keys: Sequence[str]) -> Holders:
        return self._user_names

    def by_address(self, keys: Sequence[str]) -> Holders:
        return self._addresses


def _in_time(pages: Iterable[T], expected: int) -> Iterator[T]:
    begun, longest = monotonic(), settings.MEETING_TASK_TIME_LIMIT * SHARE_OF_TASK
    for number, page in enumerate(pages, 1):
        if number >= PAGES_TO_TIME and (monotonic() - begun) / number * expected > longest:
            raise TooSlow
        yield page


def _parts(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _is_one_of(name: str, values: Iterable[str]) -> str:
    return f"{name} in ({','.join(map(_quoted, values))})"


def _is_listed(addresses: Iterable[str]) -> str:
    """`in` does not reach into a list (learn.microsoft.com/graph/filter-query-parameter)."""
    desired_state = (_quoted(f"smtp:{address}") for address in addresses)
    return " or ".join(f"proxyAddresses/any(p:p eq {address})" for address in desired_state)


def _quoted(value: str) -> str:
    """A string in a filter: apostrophes are doubled (learn.microsoft.com/graph/filter-query-parameter)."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _users(client: GraphClient, pages: Iterable[list[dict[str, Any]]]) -> Iterator[User]:
    for row in (row for page in pages for row in page):
        try:
            user = read_user(row)
        except ValueError as error:
            raise client.unknown_shape(str(error)) from error
        if user is not None:
            yield user


def _by_user_name(users: Iterable[User]) -> Holders:
    return _index((fold(user.user_name), user) for user in users)


def _by_address(users: Iterable[User]) -> Holders:
    return _index((address, user) for user in users for address in user.addresses)


def _index(pairs: Iterable[tuple[str, User]]) -> Holders:
    """Users by key, each user once however often Graph lists them."""
    index: defaultdict[str, dict[str, User]] = defaultdict(dict)
    for key, user in pairs:
        index[key][user.id] = user
    return {key: list(users.values()) for key, users in index.items()}
