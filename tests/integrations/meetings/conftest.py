"""Fixtures: the owner of all meetings."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import pytest

from integrations import hooks
from integrations.models import Connection


class Owner:
    """Own every meeting, except those in `unowned`."""

    def __init__(self) -> None:
        self.unowned: set[UUID] = set()

    def owned(self, meeting_ids: Collection[UUID]) -> Collection[UUID]:
        return set(meeting_ids) - self.unowned

    def repair(self, connection: Connection) -> int:
        return 0

    def follow_organizers(self, meeting_ids: Collection[UUID]) -> int:
        return 0


@pytest.fixture
def unowned(monkeypatch: pytest.MonkeyPatch) -> set[UUID]:
    """Own every meeting, except those whose ids a test adds to this set."""
    owner = Owner()
    monkeypatch.setattr(hooks.meeting_owners, "_hooks", [owner])
    return owner.unowned
