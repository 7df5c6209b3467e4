"""Whom meetings belong to: whoever asks for meetings says so, as this floor does not know them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from integrations.models import Connection


class Owner(Protocol):
    def owned(self, meeting_ids: Collection[UUID]) -> Collection[UUID]:
        """Which of these meetings belong to something of the owner's. One query."""
        ...

    def mend(self, connection: Connection) -> int:
        """Ask anew for what does not agree with what the meeting was made for, and record a finding for each.

        Returns how many. No call; short transactions of its own.
        """
        ...


_owners: list[Owner] = []


def register(owner: Owner) -> None:
    """Called by an app's `AppConfig.ready()`."""
    if owner not in _owners:
        _owners.append(owner)


def all_owners() -> list[Owner]:
    """Everybody who asks for meetings."""
    return list(_owners)
