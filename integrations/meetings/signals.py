"""Telling others about a meeting: the rest of the product, and the workers. Both after commit, neither may fail it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import transaction
from django.dispatch import Signal

from integrations import task_queue
from integrations.models import Meeting
from integrations.task_queue import Priority

#: Sent after commit when something that people see of a meeting has changed: `sender=Meeting, meeting_id=UUID`.
meeting_changed = Signal()

_is_gathering: ContextVar[bool] = ContextVar("is_gathering", default=False)


def announce(meeting_id: UUID) -> None:
    """Send `meeting_changed` once the present transaction is committed. A receiver that fails is logged."""

    def send() -> None:
        meeting_changed.send_robust(sender=Meeting, meeting_id=meeting_id)

    transaction.on_commit(send, robust=True)


def nudge(meeting_id: UUID) -> None:
    """Have a worker look at the meeting once the present transaction is committed.

    A broker that is down costs a second at most and never an error: the sweep finds the row at its next round.
    """
    Meeting.objects.filter(pk=meeting_id).nudged()
    enqueue_meetings_on_commit([meeting_id])


@contextmanager
def gathered() -> Iterator[None]:
    """For whoever asks for many meetings: the broker hears one word afterwards instead of one for each of them.

    The sweep takes them from there, soonest first. Mails are told of once, too (`nudges.gathered`).
    """
    token = _is_gathering.set(True)
    try:
        with task_queue.gathered():
            yield
    finally:
        _is_gathering.reset(token)
    schedule_sweep()


def enqueue_meetings_on_commit(meeting_ids: Iterable[UUID], priority: Priority = Priority.FRESH) -> None:
    """The part of `nudge` for rows whose `enqueued_at` was written with the ask itself."""
    ids = list(meeting_ids)
    if _is_gathering.get():
        Meeting.objects.filter(pk__in=ids).update(enqueued_at=None)
        return
    transaction.on_commit(lambda: _enqueue(ids, priority), robust=True)


def schedule_sweep() -> None:
    """Have a worker sweep once the present transaction is committed, for changes that make many rows due."""
    if _is_gathering.get():
        return
    task_queue.enqueue_on_commit("integrations.sweep_meetings")


def _enqueue(meeting_ids: list[UUID], priority: Priority) -> None:
    """Send one task per meeting. When the broker fails all are given back to the sweep: a task may run twice."""
    calls = [(str(meeting_id),) for meeting_id in meeting_ids]
    if not task_queue.send_each("integrations.sync_meeting", calls, priority=priority):
        Meeting.objects.filter(pk__in=meeting_ids).update(enqueued_at=None)
