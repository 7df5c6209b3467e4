"""Look up users by user name at the lowest cost, with the reason why a user isn't found.

A lookup either filters by names, 300 per request, or reads all users, 999 per page, whichever needs fewer requests. It
switches to reading all users if so many names turn out to be missing that searching them would cost more. After Graph
has throttled a lookup, resource units count instead of requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

from coconut.fields.pasted_text import clean_identifier
from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import DirectoryResult, IncompleteLookup, MatchReason, PlatformError
from integrations.teams.graph.client import GraphClient
from integrations.teams.models import Method
from integrations.teams.users.lookup_cost import PAGE_SIZE, LookupCost
from integrations.teams.users.lookup_memory import LookupMemory, read_memory, write_memory
from integrations.teams.users.parse import User, fold, is_possible_user_name
from integrations.teams.users.sources import Answers, CannotList, FilteredSource, FullSource, Source

FULL_PROFILES: Final = "User.Read.All"
# More users than any tenant has.
_MOST_USERS: Final = 10**9


def open_directory(connection: Connection, expected: int) -> TeamsDirectory:
    """Return the directory that is cheapest for `expected` names. Raises PlatformError.

    The user count costs a request itself, so it is queried only if it can save any. On a tie, all users are read: this
    costs Graph less and also resolves aliases.
    """
    client, memory = GraphClient(connection), read_memory(connection)
    costs = LookupCost(
        left=expected,
        address_fields=2 if connection.teams.has(FULL_PROFILES) else 1,
        are_units_short=memory.is_throttled,
    )
    if costs.is_count_useful and not memory.cannot_list:
        costs.pages = memory.pages or _count_pages(client, memory)
    return TeamsDirectory(client, costs, memory)


def _count_pages(client: GraphClient, memory: LookupMemory) -> int | None:
    """Return the number of pages with all users, None if Graph doesn't count them.

    The count only saves requests. If Graph throttles it, the next lookup goes without.
    """
    try:
        memory.pages = ceil(_count_users(client) / PAGE_SIZE)
    except PlatformError as error:
        if error.kind in (ErrorKind.BUG, ErrorKind.UNUSABLE):
            return None
        if error.kind == ErrorKind.THROTTLED:
            memory.is_throttled = memory.cannot_list = True
            write_memory(client.connection, memory)
        raise
    write_memory(client.connection, memory)
    return memory.pages


def _count_users(client: GraphClient) -> int:
    """Return the number of users, by an advanced query (learn.microsoft.com/graph/aad-advanced-queries)."""
    number = client.request("GET", "/users/$count", headers={"ConsistencyLevel": "eventual"})
    if not isinstance(number, int) or not 0 <= number <= _MOST_USERS:
        raise client.unknown_shape("a count of users that is no number")
    return number


class TeamsDirectory:
    """The tenant's users, for one pass over the staff."""

    def __init__(self, client: GraphClient, costs: LookupCost, memory: LookupMemory) -> None:
        teams = client.connection.teams
        self._client = client
        self._costs = costs
        self._memory = memory
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
        """Look up user names as typed. Return a result for each.

        Raises PlatformError. `IncompleteLookup` has the results of the names that Graph answered.
        """
        # Rows that were written past the forms may have characters that no one sees.
        keys = {name: fold(clean_identifier(name)) for name in user_names}
        queryable = list(dict.fromkeys(key for key in keys.values() if is_possible_user_name(key)))
        if self._should_read:
            self._read_all()
        by_name = self._query_names(len(user_names), queryable)
        by_address = self._query_addresses(by_name, by_name.missing(queryable))
        results = {
            name: self._result(key, by_name, by_address)
            for name, key in keys.items()
            if key not in by_name.unanswered and key not in by_address.unanswered
        }
        error = by_name.error or by_address.error
        self._remember(error, by_address)
        if error is not None:
            raise IncompleteLookup(error, results)
        return results

    def _query_names(self, seen: int, queryable: Sequence[str]) -> Answers:
        """Return the users with these user names. Names that are known to be missing cost nothing."""
        known = set(self._memory.missing)
        answers = self._source.by_user_name([key for key in queryable if key not in known])
        self._costs.record_chunk(seen, len(queryable), len(answers.missing(queryable)))
        return answers

    def _query_addresses(self, by_name: Answers, missing: Sequence[str]) -> Answers:
        """Return the owners of addresses. Read all users first if this is cheaper for the rest of the pass."""
        if not missing:
            return Answers()
        if by_name.error is not None and by_name.error.kind != ErrorKind.UNUSABLE:
            return Answers(unanswered=missing)
        try:
            if isinstance(self._source, FilteredSource) and self._costs.should_read_all_now(len(missing)):
                self._read_all()
            return self._source.by_address(missing)
        except PlatformError as error:
            if error.kind not in (ErrorKind.THROTTLED, ErrorKind.OUTAGE):
                raise
            return Answers(unanswered=missing, error=error)

    def _read_all(self) -> None:
        """Read all users and use them for the rest of the pass, unless this takes too long."""
        self._should_read = False
        source = FullSource(self._client, self._has_profiles)
        try:
            source.read(self._costs.pages or 0)
        except CannotList:
            self._costs.pages = None
            self._memory.cannot_list = True
            write_memory(self._client.connection, self._memory)
        except PlatformError as error:
            if error.kind == ErrorKind.THROTTLED:
                # The pages are lost. Names make progress under any quota.
                self._memory.is_throttled = self._memory.cannot_list = True
                write_memory(self._client.connection, self._memory)
            raise
        else:
            self._source = source

    def _remember(self, error: PlatformError | None, by_address: Answers) -> None:
        """Keep, for the next task, what it would otherwise query again."""
        if error is not None or self._memory.missing:
            self._memory.is_throttled |= error is not None and error.kind == ErrorKind.THROTTLED
            self._memory.missing = list(by_address.unanswered)
            write_memory(self._client.connection, self._memory)

    def _result(self, key: str, by_name: Answers, by_address: Answers) -> DirectoryResult:
        if not key:
            return DirectoryResult(reason=MatchReason.FIELD_EMPTY)
        if key in by_name.refused:
            return DirectoryResult(reason=MatchReason.LOOKUP_REFUSED)
        owners = by_address.users.get(key, ())
        # A name from the memory is only searched as an address.
        holders = by_name.users.get(key) or [owner for owner in owners if fold(owner.user_name) == key]
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
