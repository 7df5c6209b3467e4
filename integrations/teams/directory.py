"""Find people by user name in as few requests as can be, and say why somebody is not found.

There are two ways: to ask for names, three hundred in a request, or to read everybody, 999 in a page. Whichever
needs fewer requests is taken; never a request per person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from math import ceil
from typing import Any, Final, Protocol, TypeVar

from integrations.models import Connection
from integrations.platforms import DirectoryAnswer, MatchReason
from integrations.teams.graph import BATCH_SIZE, GraphClient
from integrations.teams.models import Method
from integrations.teams.users import BASIC_FIELDS, FULL_FIELDS, User, fold, is_askable, read_user

# More values in one `in` are refused: "Too many child clauses …: 16. Max allowed: 15."
# (github.com/microsoftgraph/microsoft-graph-docs/issues/21098)
VALUES_PER_FILTER: Final = 15
NAMES_PER_REQUEST: Final = VALUES_PER_FILTER * BATCH_SIZE
# 1000 is refused: "Must be between 1 and 999 inclusive." (learn.microsoft.com/answers 1129204)
PAGE_SIZE: Final = 999
# How many names are asked for before those who were not found are looked for by address. Of 10,000 people with a few
# missing in every hundred this saves a request for almost every three hundred, and what fails is asked again soon.
NAMES_PER_QUESTION: Final = 4 * NAMES_PER_REQUEST
# How many answers at a time the caller should write once everybody has been read.
NAMES_FROM_MEMORY: Final = 1000
# Asking for names can be interrupted and goes on where it was. Reading everybody cannot, so it has to fit into one
# task even where a page takes a second.
MOST_PAGES: Final = 30
FULL_PROFILES: Final = "User.Read.All"

Holders = Mapping[str, Sequence[User]]
T = TypeVar("T")


def open_directory(connection: Connection, expected: int) -> TeamsDirectory:
    """The directory, by whichever way needs the fewest requests for `expected` names. Raises PlatformError.

    To learn how many users there are costs a request too, so it is asked only where it can save any. On a tie
    everybody is read: it costs Graph less, and it says for nothing whom an alias belongs to.
    """
    client, teams = GraphClient(connection), connection.teams
    requests = ceil(expected / NAMES_PER_REQUEST)
    few_pages = requests > 2 and _count_pages(client) <= min(requests - 1, MOST_PAGES)
    source: Source = (Everybody if few_pages else Asked)(client, teams.has(FULL_PROFILES))
    return TeamsDirectory(source, needs_licence=teams.method == Method.ACCESS_POLICY)


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

    def __init__(self, source: Source, *, needs_licence: bool) -> None:
        self.chunk_size = source.chunk_size
        self._source = source
        self._needs_licence = needs_licence

    def find(self, user_names: Sequence[str]) -> dict[str, DirectoryAnswer]:
        """Look up user names as typed; one answer for each. Raises PlatformError, and then nothing was learnt."""
        keys = {name: fold(name) for name in user_names}
        asked = list(dict.fromkeys(key for key in keys.values() if is_askable(key)))
        holders = self._source.by_user_name(asked)
        missing = [key for key in asked if key not in holders]
        owners = self._source.by_address(missing) if missing else {}
        return {
            name: self._answer(key, holders.get(key, ()), owners.get(key, ())) for name, key in keys.items()
        }

    def _answer(self, key: str, holders: Sequence[User], owners: Sequence[User]) -> DirectoryAnswer:
        if not key:
            return DirectoryAnswer(reason=MatchReason.FIELD_EMPTY)
        if holders:
            return self._found(holders[0]) if len(holders) == 1 else _several(holders)
        # Somebody may be a guest besides having an account: the account is meant.
        owners = [user for user in owners if not user.is_guest] or owners
        if not owners:
            return DirectoryAnswer(reason=MatchReason.NOT_FOUND)
        if len(owners) > 1:
            return _several(owners)
        # Nobody signs in with a guest's user name, so taking it over would help nobody.
        return self._found(owners[0]) if owners[0].is_guest else _alias(owners[0])

    def _found(self, user: User) -> DirectoryAnswer:
        return DirectoryAnswer(user.id, user.user_name, user.name, self._trouble(user))

    def _trouble(self, user: User) -> MatchReason | None:
        """Why this user cannot host. What the granted permissions do not tell is left unsaid."""
        if user.is_enabled is False:
            return MatchReason.DISABLED
        if user.is_guest:
            return MatchReason.GUEST
        return MatchReason.NO_LICENCE if self._needs_licence and user.is_licensed is False else None


def _alias(user: User) -> DirectoryAnswer:
    """Found by an address only: not a match, but the remedy is known."""
    return DirectoryAnswer(name=user.name, reason=MatchReason.ALIAS, hint=user.user_name)


def _several(users: Sequence[User]) -> DirectoryAnswer:
    """Which of them is meant cannot be told, so nobody is taken."""
    names = ", ".join(sorted(user.user_name for user in users))
    return DirectoryAnswer(reason=MatchReason.NOT_FOUND, hint=names[:500])


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


class Everybody:
    """Reads the whole tenant once, at the first question, and answers from memory."""

    chunk_size = NAMES_FROM_MEMORY

    def __init__(self, client: GraphClient, has_profiles: bool) -> None:
        self._client = client
        self._has_profiles = has_profiles

    def by_user_name(self, keys: Sequence[str]) -> Holders:
        return self._user_names

    def by_address(self, keys: Sequence[str]) -> Holders:
        return self._addresses

    @cached_property
    def _users(self) -> list[User]:
        fields = FULL_FIELDS if self._has_profiles else BASIC_FIELDS
        pages = self._client.pages("/users", params={"$select": fields, "$top": str(PAGE_SIZE)})
        return list(_users(self._client, pages))

    @cached_property
    def _user_names(self) -> Holders:
        return _by_user_name(self._users)

    @cached_property
    def _addresses(self) -> Holders:
        return _by_address(self._users)


def _parts(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _is_one_of(name: str, values: Iterable[str]) -> str:
    return f"{name} in ({','.join(map(_quoted, values))})"


def _is_listed(addresses: Iterable[str]) -> str:
    """`in` does not reach into a list (learn.microsoft.com/graph/filter-query-parameter)."""
    wanted = (_quoted(f"smtp:{address}") for address in addresses)
    return " or ".join(f"proxyAddresses/any(p:p eq {address})" for address in wanted)


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
