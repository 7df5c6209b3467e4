"""Estimate the requests of a user lookup: by name filters, or by reading all users."""

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
    number of pages with all users. None: not counted because it can't save requests, or the pages come too slowly.
    """

    left: int
    address_fields: int
    pages: int | None = None
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
    def name_requests(self) -> int:
        """Return the number of requests for the names that are left if all of them are found."""
        return ceil(self.left / NAMES_PER_REQUEST)

    def should_read_all_first(self) -> bool:
        """Return whether reading all users is cheaper even if no name is missing."""
        return self._is_reading_cheaper(self.name_requests - 1)

    def should_read_all_now(self, missing_now: int) -> bool:
        """Return whether reading all users is cheaper, if the rest has as many missing names as the chunks so far."""
        return self._is_reading_cheaper(self._address_requests(missing_now) + self._remaining_requests() - 1)

    def _is_reading_cheaper(self, max_pages: int) -> bool:
        return self.pages is not None and self.pages <= min(max_pages, MAX_PAGES)

    def _remaining_requests(self) -> int:
        queryable = ceil(self.left * self._queried / self._seen) if self._seen else self.left
        chunks, rest = divmod(queryable, NAMES_PER_CHUNK)
        return chunks * self._chunk_requests(NAMES_PER_CHUNK) + self._chunk_requests(rest)

    def _chunk_requests(self, names: int) -> int:
        missing = ceil(names * self._missing / self._queried) if self._queried else 0
        return ceil(names / NAMES_PER_REQUEST) + self._address_requests(missing)

    def _address_requests(self, missing: int) -> int:
        return ceil(self.address_fields * ceil(missing / VALUES_PER_FILTER) / BATCH_SIZE)
