"""What the tests of this floor share."""

from __future__ import annotations

import pytest

from coconut import task_queue
from coconut.task_queue import Priority


@pytest.fixture
def sent_tasks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What would go to the broker: (task, *arguments)."""
    sent: list[tuple[object, ...]] = []

    def take(task: str, calls: list[tuple[object, ...]], priority: Priority | None = None) -> bool:
        sent.extend((task, *args) for args in calls)
        return True

    monkeypatch.setattr("coconut.task_queue.send_each", take)
    return sent


@pytest.fixture(autouse=True)
def forget_bursts() -> None:
    """Let each test enqueue a task that the previous test enqueued a moment ago."""
    task_queue._last_sent.clear()
