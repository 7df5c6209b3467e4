"""Estimate the cost of a user lookup: by name filters, or by reading all users.

The cost is the number of requests, so that a rematch is quick. If Graph throttles, it is the number of resource units.
A filter and a page cost one unit each, as both select their fields (learn.microsoft.com/graph/throttling-limits). A
request holds twenty filters, but only one page.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from integrations.teams.graph.client import BATCH_SIZE

# More values in one `in` are refused: "Too many child clauses …: 16. Max allowed: 15."
# (github.com/microsoftgraph/microsoft-graph-docs/issues/21098)
VALUES_PER_FILTER: Final = 15
NAMES_PER_REQUEST: Final = VALUES_PER_FILTER * BATCH_SIZE
# Names per chunk. The missing ones of a chunk are then searched by address. With 10,000 people and a few missing per
# hundred, this saves nearly one request per 300 names, and a failed chunk is soon repeated.
NAMES_PER_CHUNK: Final = 4 * NAMES_PER_REQUEST
# 1000 is refused: "Must be between 1 and 999 inclusive." (learn.microsoft.com/answers 1129204)
PAGE_SIZE: Final = 999
# A lookup by names can be interrupted and resumed. Reading all users can't, so it must fit into one task.
MAX_PAGES: Final = 60


@dataclass
class LookupCost:
    """Estimated cost of one pass over the staff.

    `left` is the number of names to look up. Missing names are searched in `address_fields` fields. `pages` is the
    number of pages with all users. None: not counted because it can't lower the cost, or all users can't be read.
    """

    left: int
    address_fields: int
    pages: int | None = None
    are_units_short: bool = False
    _seen: int = 0
    _queried: int = 0
    _missing: int = 0

    def record_chunk(self, seen: int, queried: int, missing: int) -> None:
        """Record a chunk: names seen, names queried because a user could have them, and names not found."""
        self.left = max(self.left - seen, 0)
        self._seen += seen
        self._queried += queried
        self._missing += missing

    @property
    def is_count_useful(self) -> bool:
        """Return whether the user count may lower the cost by more than its own."""
        return self._cost_of_names(self.left) > 2

    def should_read_all_first(self) -> bool:
        """Return whether reading all users is cheaper even if no name is missing."""
        return self._is_reading_cheaper(self._cost_of_names(self.left) - 1)

    def should_read_all_now(self, missing_now: int) -> bool:
        """Return whether reading all users is cheaper, if the rest has as many missing names as the chunks so far."""
        return self._is_reading_cheaper(self._cost_of_addresses(missing_now) + self._remaining_cost() - 1)

    def _is_reading_cheaper(self, max_pages: int) -> bool:
        return self.pages is not None and self.pages <= min(max_pages, MAX_PAGES)

    def _remaining_cost(self) -> int:
        queryable = ceil(self.left * self._queried / self._seen) if self._seen else self.left
        chunks, rest = divmod(queryable, NAMES_PER_CHUNK)
        return chunks * self._cost_of_chunk(NAMES_PER_CHUNK) + self._cost_of_chunk(rest)

    def _cost_of_chunk(self, names: int) -> int:
        missing = ceil(names * self._missing / self._queried) if self._queried else 0
        return self._cost_of_names(names) + self._cost_of_addresses(missing)

    def _cost_of_names(self, names: int) -> int:
        return self._cost_of_filters(ceil(names / VALUES_PER_FILTER))

    def _cost_of_addresses(self, missing: int) -> int:
        return self._cost_of_filters(self.address_fields * ceil(missing / VALUES_PER_FILTER))

    def _cost_of_filters(self, filters: int) -> int:
        return filters if self.are_units_short else ceil(filters / BATCH_SIZE)
