"""How many requests it takes to find people, by asking for their names or by reading everybody."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from integrations.teams.graph.client import BATCH_SIZE

# More values in one `in` are refused: "Too many child clauses …: 16. Max allowed: 15."
# (github.com/microsoftgraph/microsoft-graph-docs/issues/21098)
VALUES_PER_FILTER: Final = 15
NAMES_PER_REQUEST: Final = VALUES_PER_FILTER * BATCH_SIZE
# How many names are asked for before those who were not found are looked for by address. Of 10,000 people with a few
# missing in every hundred this saves a request for almost every three hundred, and what fails is asked again soon.
NAMES_PER_QUESTION: Final = 4 * NAMES_PER_REQUEST
# 1000 is refused: "Must be between 1 and 999 inclusive." (learn.microsoft.com/answers 1129204)
PAGE_SIZE: Final = 999
# Asking for names can be interrupted and goes on where it was. Reading everybody cannot, so it has to fit into one
# task, whose time the reader watches, too.
MOST_PAGES: Final = 60


@dataclass
class LookupCost:
    """What one pass over the staff costs, as far as it is known.

    `left` names are still to be asked for; whoever is missing is looked for in `address_fields` fields; `pages` hold
    everybody (None: not counted, for that could save nothing, or found to come too slowly).
    """

    left: int
    address_fields: int
    pages: int | None = None
    _seen: int = 0
    _asked: int = 0
    _missing: int = 0

    def note(self, seen: int, asked: int, missing: int) -> None:
        """So many names were seen, of which some could exist and were asked for, and some of those were missing."""
        self.left = max(self.left - seen, 0)
        self._seen += seen
        self._asked += asked
        self._missing += missing

    @property
    def names_alone(self) -> int:
        """Requests for the names that are left, if nobody is missing."""
        return ceil(self.left / NAMES_PER_REQUEST)

    def reads_first(self) -> bool:
        """Whether to read everybody at once, although nobody may be missing."""
        return self._saves(self.names_alone - 1)

    def reads_now(self, missing_now: int) -> bool:
        """Whether to read everybody after all, if so many are to be looked for and the rest is like what was seen."""
        return self._saves(self._addresses(missing_now) + self._names_and_addresses() - 1)

    def _saves(self, most_pages: int) -> bool:
        return self.pages is not None and self.pages <= min(most_pages, MOST_PAGES)

    def _names_and_addresses(self) -> int:
        askable = ceil(self.left * self._asked / self._seen) if self._seen else self.left
        questions, rest = divmod(askable, NAMES_PER_QUESTION)
        return questions * self._question(NAMES_PER_QUESTION) + self._question(rest)

    def _question(self, names: int) -> int:
        missing = ceil(names * self._missing / self._asked) if self._asked else 0
        return ceil(names / NAMES_PER_REQUEST) + self._addresses(missing)

    def _addresses(self, missing: int) -> int:
        return ceil(self.address_fields * ceil(missing / VALUES_PER_FILTER) / BATCH_SIZE)
