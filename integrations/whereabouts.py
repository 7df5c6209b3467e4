"""Where the page is that a meeting was made for: whoever asks for meetings says so, as this floor does not know."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Page:
    """A page that an admin of the meeting's organisation may open; `label` says what it is about."""

    address: str
    label: str


#: From some meetings' ids to their pages, in one query.
Finder = Callable[[Collection[UUID]], Mapping[UUID, Page]]

_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Called by an app's `AppConfig.ready()`."""
    if finder not in _finders:
        _finders.append(finder)


def pages_of(meeting_ids: Collection[UUID]) -> dict[UUID, Page]:
    """The page that each meeting was made for; a meeting that nobody knows is left out."""
    found: dict[UUID, Page] = {}
    for finder in _finders:
        found.update(finder(meeting_ids))
    return found
