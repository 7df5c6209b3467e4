"""Enqueue Celery tasks after commit. Losing a message only delays work, because beat finds the rows that are due."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from enum import IntEnum
from functools import cache
from time import monotonic
from typing import Any, Final

from celery import current_app
from django.db import transaction
from kombu.exceptions import (  # type: ignore[attr-defined]
    BatchPublishError,
    LimitExceeded,
    OperationalError,
)
from kombu.pools import ProducerPool, producers

logger = logging.getLogger(__name__)


class Priority(IntEnum):
    """Priority in the broker's queue; the lower number goes first. `CELERY_TASK_ROUTES` has the other tasks."""

    FRESH = 0  # a user has just booked, moved or cancelled
    SWEPT = 3  # the row has waited longer; the sweep sends the earliest appointments first


#: Seconds that a request waits for a broker that doesn't answer.
BROKER_TIMEOUT: Final = 1
#: Seconds in which `enqueue_once_on_commit` sends a task only once.
BURST_SECONDS: Final = 0.25
# Task name -> time (monotonic) when this process last sent it.
_last_sent: dict[str, float] = {}
# Names of the tasks to send at the end of `batch_enqueue`; None outside.
_batched_tasks: ContextVar[set[str] | None] = ContextVar("batched_tasks", default=None)


def enqueue_on_commit(task: str, *args: object) -> None:
    """Send the task named `task` after commit. Never raises."""

    def send_task() -> None:
        send(task, *args)

    # No partial: if a robust function fails, Django logs its __qualname__, which a partial lacks.
    transaction.on_commit(send_task, robust=True)


def enqueue_once_on_commit(task: str) -> None:
    """Send a task that handles all waiting rows after commit, but only once in a burst.

    Rows that are written after the task has run wait for beat.
    """

    def send_task() -> None:
        if (tasks := _batched_tasks.get()) is not None:
            tasks.add(task)
        elif monotonic() - _last_sent.get(task, -BURST_SECONDS) >= BURST_SECONDS:
            _last_sent[task] = monotonic()
            send(task)

    transaction.on_commit(send_task, robust=True)


@contextmanager
def batch_enqueue() -> Iterator[None]:
    """Send each task of `enqueue_once_on_commit` once, after the last of many transactions.

    A broker that doesn't answer then costs its timeout only once.
    """
    tasks: set[str] = set()
    token = _batched_tasks.set(tasks)
    try:
        yield
    finally:
        _batched_tasks.reset(token)
        for task in sorted(tasks):
            enqueue_on_commit(task)


def send(task: str, *args: object, priority: Priority | None = None) -> bool:
    """Send a task now, in one attempt. Returns whether the broker accepted it; failures are logged.

    `priority` overrides the one in `CELERY_TASK_ROUTES`.
    """
    return send_each(task, [args], priority=priority)


def send_each(task: str, calls: Sequence[tuple[object, ...]], *, priority: Priority | None = None) -> bool:
    """Send a task once for each tuple of arguments, in one round trip to the broker.

    If the result is False, the broker may have accepted some of them.
    """
    try:
        with _producers().acquire(block=True, timeout=BROKER_TIMEOUT) as producer, _batch(producer):
            for args in calls:
                # Celery would build these representations itself, in a fifth of the time of this loop.
                current_app.send_task(
                    task,
                    args=args,
                    argsrepr=repr(args),
                    kwargsrepr="{}",
                    producer=producer,
                    retry=False,
                    priority=priority,
                )
    except (OperationalError, LimitExceeded, BatchPublishError) as error:
        reason = error.__cause__ or error
        logger.warning("The broker cannot be reached (%s); beat will see to %s %s.", reason, task, calls)
        return False
    return True


def _batch(producer: Any) -> AbstractContextManager[object]:
    """Publish everything inside in one pipeline at the end. Kombu has this since 5.7, its type stubs don't."""
    batch: AbstractContextManager[object] = producer.batch()
    return batch


@cache
def _producers() -> ProducerPool:
    """Return a pool with short timeouts; a worker's own connections wait longer than a request may."""
    timeouts = {"socket_connect_timeout": BROKER_TIMEOUT, "socket_timeout": BROKER_TIMEOUT}
    options = {**current_app.conf.broker_transport_options, **timeouts}
    pool: ProducerPool = producers[current_app.connection_for_write(transport_options=options)]
    return pool
