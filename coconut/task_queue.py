"""Enqueue tasks for due rows after commit. A lost task only causes a delay, as beat finds due rows too."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from enum import IntEnum
from functools import cache
from time import monotonic
from typing import Any

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
    """Priority in the broker's queue: a lower number goes first. Other tasks have theirs in `CELERY_TASK_ROUTES`."""

    FRESH = 0  # a user has just booked, moved or cancelled
    SWEPT = 3  # the sweep found the row; there may be many


#: Seconds that a request may wait for a broker that doesn't answer.
BROKER_TIMEOUT = 1
#: Seconds in which `enqueue_once_on_commit` sends a task once at most.
BURST_SECONDS = 0.25
# Task name -> monotonic time at which this process last sent it.
_last_sent: dict[str, float] = {}
# Names of the tasks that `batch_enqueue` sends at its end.
_batched: ContextVar[set[str] | None] = ContextVar("batched", default=None)


def enqueue_on_commit(task: str, *args: object) -> None:
    """Send the task named `task` after commit. Never raises."""

    def send_task() -> None:
        send(task, *args)

    # Not a partial: if a robust function fails, Django logs its name, which a partial lacks.
    transaction.on_commit(send_task, robust=True)


def enqueue_once_on_commit(task: str) -> None:
    """Send a task that handles all waiting rows, once at most in `BURST_SECONDS`.

    Beat finds the rows for which no task was sent.
    """

    def send_task() -> None:
        if (batched := _batched.get()) is not None:
            batched.add(task)
        elif monotonic() - _last_sent.get(task, -BURST_SECONDS) >= BURST_SECONDS:
            _last_sent[task] = monotonic()
            send(task)

    transaction.on_commit(send_task, robust=True)


@contextmanager
def batch_enqueue() -> Iterator[None]:
    """Send each task of `enqueue_once_on_commit` once, after the last of many transactions.

    A broker that doesn't answer then costs `BROKER_TIMEOUT` only once.
    """
    batched: set[str] = set()
    token = _batched.set(batched)
    try:
        yield
    finally:
        _batched.reset(token)
        for task in sorted(batched):
            enqueue_on_commit(task)


def send(task: str, *args: object, priority: Priority | None = None) -> bool:
    """Send a task now, in one attempt. Return False, with a line in the log, if the broker is down.

    `priority` overrides the usual priority of the task.
    """
    return send_each(task, [args], priority=priority)


def send_each(task: str, calls: Sequence[tuple[object, ...]], *, priority: Priority | None = None) -> bool:
    """Send a task once for each of `calls` (its arguments), in one round trip to the broker.

    After False, some of the tasks may have been sent.
    """
    try:
        with _producers().acquire(block=True, timeout=BROKER_TIMEOUT) as producer, _batch(producer):
            for args in calls:
                # Celery's own repr of the arguments takes a fifth of the time.
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
        logger.warning("The broker cannot be reached (%s); beat will find the rows of %s %s.", reason, task, calls)
        return False
    return True


def _batch(producer: Any) -> AbstractContextManager[object]:
    """Publish everything inside the context in one pipeline. New in kombu 5.7, whose types lack it."""
    batch: AbstractContextManager[object] = producer.batch()
    return batch


@cache
def _producers() -> ProducerPool:
    """Return a pool with short timeouts of its own, as a request may wait less than a worker."""
    timeouts = {"socket_connect_timeout": BROKER_TIMEOUT, "socket_timeout": BROKER_TIMEOUT}
    options = {**current_app.conf.broker_transport_options, **timeouts}
    pool: ProducerPool = producers[current_app.connection_for_write(transport_options=options)]
    return pool
