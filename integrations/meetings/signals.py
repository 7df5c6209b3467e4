"""Signal of a changed meeting, and tasks for due meetings. Both are sent after commit and never make it fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import transaction
from django.dispatch import Signal

from coconut import task_queue
from coconut.task_queue import Priority
from integrations.models import Meeting

#: Sent after commit when a visible part of a meeting has changed: `sender=Meeting, meeting_id=UUID`.
meeting_changed = Signal()

_is_batching: ContextVar[bool] = ContextVar("is_batching", default=False)


def send_meeting_changed(meeting_id: UUID) -> None:
    """Send `meeting_changed` after commit. A receiver that fails is logged."""

    def send() -> None:
        meeting_changed.send_robust(sender=Meeting, meeting_id=meeting_id)

    transaction.on_commit(send, robust=True)


def enqueue_meeting(meeting_id: UUID) -> None:
    """Send a task for the meeting after commit.

    If the broker is down, this costs a second at most and no error: the next sweep finds the row.
    """
    Meeting.objects.filter(pk=meeting_id).mark_enqueued()
    enqueue_meetings_on_commit([meeting_id])


@contextmanager
def batch_enqueue() -> Iterator[None]:
    """Replace the tasks of many requests by one sweep at the end, and batch other tasks too."""
    token = _is_batching.set(True)
    try:
        with task_queue.batch_enqueue():
            yield
    finally:
        _is_batching.reset(token)
    schedule_sweep()


def enqueue_meetings_on_commit(meeting_ids: Iterable[UUID], priority: Priority = Priority.FRESH) -> None:
    """Send a task for each meeting after commit. The caller has already written `enqueued_at`."""
    ids = list(meeting_ids)
    if _is_batching.get():
        Meeting.objects.filter(pk__in=ids).update(enqueued_at=None)
        return
    transaction.on_commit(lambda: _send_tasks(ids, priority), robust=True)


def schedule_sweep() -> None:
    """Run the sweep in a worker after commit, for a change that makes many rows due."""
    if _is_batching.get():
        return
    task_queue.enqueue_on_commit("integrations.sweep_meetings")


def _send_tasks(meeting_ids: list[UUID], priority: Priority) -> None:
    """Send one task per meeting. If the broker fails, leave them all to the sweep: a task may run twice."""
    calls = [(str(meeting_id),) for meeting_id in meeting_ids]
    if not task_queue.send_each("integrations.sync_meeting", calls, priority=priority):
        Meeting.objects.filter(pk__in=meeting_ids).update(enqueued_at=None)
