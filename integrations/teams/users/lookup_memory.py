"""Facts about a tenant that the next task of a lookup would otherwise query again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.core.cache import cache

from coconut.rate_limits import cache_may_be_down
from integrations.models import Connection

_KEPT_SECONDS: Final = 900


@dataclass
class LookupMemory:
    """Memory of a connection's lookups. Without a cache, it is empty.

    - `pages`: number of pages with all users. None: not counted
    - `is_throttled`: Graph refused a lookup, so that resource units matter more than requests
    - `cannot_list`: all users can't be read in one task
    - `missing`: folded names that no user has, but that weren't searched as addresses
    """

    pages: int | None = None
    is_throttled: bool = False
    cannot_list: bool = False
    missing: Sequence[str] = ()


def read_memory(connection: Connection) -> LookupMemory:
    """Return what the last lookups found out."""
    stored: Any = None
    with cache_may_be_down():
        stored = cache.get(_key(connection))
    try:
        return LookupMemory(**stored) if stored else LookupMemory()
    except TypeError:
        # Another version wrote it.
        return LookupMemory()


def write_memory(connection: Connection, memory: LookupMemory) -> None:
    """Keep the memory for the next tasks."""
    with cache_may_be_down():
        cache.set(_key(connection), asdict(memory), timeout=_KEPT_SECONDS)


def _key(connection: Connection) -> str:
    return f"teams-lookup-{connection.pk}"
