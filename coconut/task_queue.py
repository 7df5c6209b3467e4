"""Nudges: a word to the worker that a row is due. Losing one costs time, never work, as beat looks at the rows."""

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
    """Who goes first in the broker's queue: the lower number. `CELERY_TASK_ROUTES` has what is of no concern here."""

    FRESH = 0  # somebody has just booked, moved or cancelled
    SWEPT = 3  # what waited for longer, however much of it: the soonest appointment first


# How long a request may wait for a broker that does not answer, in seconds.
PATIENCE = 1
# How long one word is good for in a burst, in seconds.
BURST = 0.25
# When this process last said which.
_said: dict[str, float] = {}
# The words that wait for the end of `gathered`.
_kept: ContextVar[set[str] | None] = ContextVar("kept", default=None)


def enqueue_on_commit(task: str, *args: object) -> None:
    """Send the task named `task` once what the transaction wrote can be seen. Never raises."""

    def send_it() -> None:
        send(task, *args)

    # No partial: Django's log line about a robust function that failed needs a name, and fails without one.
    transaction.on_commit(send_it, robust=True)


def enqueue_once_on_commit(task: str) -> None:
    """`enqueue_on_commit` of a task that sees to everything that waits: in a burst, a word now and then is enough.

    Whoever comes last in a burst may be left to beat.
    """

    def send_it() -> None:
        if (kept := _kept.get()) is not None:
            kept.add(task)
        elif monotonic() - _said.get(task, -BURST) >= BURST:
            _said[task] = monotonic()
            send(task)

    transaction.on_commit(send_it, robust=True)


@contextmanager
def gathered() -> Iterator[None]:
    """For many transactions on end: what each would say in a burst is said once after the last of them.

    A broker that does not answer then costs its patience once.
    """
    kept: set[str] = set()
    token = _kept.set(kept)
    try:
        yield
    finally:
        _kept.reset(token)
        for task in sorted(kept):
            enqueue_on_commit(task)


def send(task: str, *args: object, priority: Priority | None = None) -> bool:
    """Send a task now, in one attempt; whether the broker took it. A broker that is down is a line in the log.

    `turn` is its place in the queue where that is not always the same for this task.
    """
    return send_each(task, [args], priority=priority)


def send_each(task: str, calls: Sequence[tuple[object, ...]], *, priority: Priority | None = None) -> bool:
    """`send` of one task many times, with the arguments of each, in one round trip to the broker.

    Where the answer is that it was not taken some of them may have been.
    """
    try:
        with _producers().acquire(block=True, timeout=PATIENCE) as producer, _batch(producer):
            for args in calls:
                # Celery's own text of the arguments is prepared for long ones, and takes a fifth of the time.
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
    """All that is published inside goes out in one pipeline at the end. In kombu since 5.7, not in its types yet."""
    batch: AbstractContextManager[object] = producer.batch()
    return batch


@cache
def _producers() -> ProducerPool:
    """Connections of their own: a worker waits for its tasks more patiently than a request may wait to send one."""
    patience = {"socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE}
    options = {**current_app.conf.broker_transport_options, **patience}
    pool: ProducerPool = producers[current_app.connection_for_write(transport_options=options)]
    return pool
