"""Where the page is that a meeting was made for: whoever asks for meetings says so, as this floor does not know."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from uuid import UUID

#: From some meetings' ids to the addresses of pages that an admin of their organisation may open; in one query.
Finder = Callable[[Collection[UUID]], Mapping[UUID, str]]

_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Called by an app's `AppConfig.ready()`."""
    if finder not in _finders:
        _finders.append(finder)


def pages_of(meeting_ids: Collection[UUID]) -> dict[UUID, str]:
    """The address of the page that each meeting was made for; a meeting that nobody knows is left out."""
    found: dict[UUID, str] = {}
    for finder in _finders:
        found.update(finder(meeting_ids))
    return found
