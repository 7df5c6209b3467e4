"""What the tests of this floor share."""

from __future__ import annotations

import pytest

from integrations.matching import people
from integrations.task_queue import Priority


@pytest.fixture
def sent_tasks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What would go to the broker: (task, *arguments)."""
    sent: list[tuple[object, ...]] = []

    def take(task: str, calls: list[tuple[object, ...]], priority: Priority | None = None) -> bool:
        sent.extend((task, *args) for args in calls)
        return True

    monkeypatch.setattr("integrations.task_queue.send_each", take)
    return sent


@pytest.fixture(autouse=True)
def nobody_waits() -> None:
    """Tests roll back, which leaves the ids of their staff behind."""
    people._waiting.staff_ids.clear()
