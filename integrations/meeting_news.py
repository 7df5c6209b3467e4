"""Telling others about a meeting: the rest of the product, and the workers. Both after commit, neither may fail it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.dispatch import Signal
from kombu.exceptions import LimitExceeded, OperationalError
from kombu.pools import ProducerPool, producers

from integrations.models import Meeting

logger = logging.getLogger(__name__)

#: Sent after commit when something that people see of a meeting has changed: `sender=Meeting, meeting_id=UUID`.
meeting_changed = Signal()

# How long a request may wait for a broker that does not answer, in seconds.
_BROKER_PATIENCE = 1


def announce(meeting_id: UUID) -> None:
    """Send `meeting_changed` once the present transaction is committed. A failing receiver is logged."""
    transaction.on_commit(
        lambda: meeting_changed.send_robust(sender=Meeting, meeting_id=meeting_id) and None, robust=True
    )


def nudge(meeting_id: UUID) -> None:
    """Have a worker look at the meeting once the present transaction is committed.

    A broker that is down costs a second at most and never an error: the sweep finds the row at its next round.
    """
    Meeting.objects.filter(pk=meeting_id).nudged()
    enqueue_on_commit([meeting_id])


def enqueue_on_commit(meeting_ids: Iterable[UUID]) -> None:
    """The part of `nudge` for rows whose `nudged_at` was written with the ask itself."""
    ids = list(meeting_ids)
    transaction.on_commit(lambda: _enqueue(ids), robust=True)


def sweep_soon() -> None:
    """Have a worker sweep once the present transaction is committed, for changes that make many rows due."""
    transaction.on_commit(lambda: _send("integrations.sweep_meetings") and None, robust=True)


def _enqueue(meeting_ids: list[UUID]) -> None:
    """Send one task per meeting. When the broker fails the rest is given back to the sweep, without more waiting."""
    for sent, meeting_id in enumerate(meeting_ids):
        if not _send("integrations.sync_meeting", meeting_id=str(meeting_id)):
            Meeting.objects.filter(pk__in=meeting_ids[sent:]).update(nudged_at=None)
            return


def _send(task: str, **arguments: str) -> bool:
    """Put a task on the broker; returns whether it took it."""
    try:
        with _producers().acquire(block=True, timeout=_BROKER_PATIENCE) as producer:
            current_app.send_task(task, kwargs=arguments, producer=producer, retry=False)
    except (OperationalError, LimitExceeded) as error:
        logger.warning("The broker is not reachable (%s); the sweep will do the work.", error)
        return False
    return True


@cache
def _producers() -> ProducerPool:
    """Connections of their own: a worker's patience while it waits for tasks is too long for a web request."""
    patience = {"socket_connect_timeout": _BROKER_PATIENCE, "socket_timeout": _BROKER_PATIENCE}
    options = {**current_app.conf.broker_transport_options, **patience}
    pool: ProducerPool = producers[current_app.connection_for_write(transport_options=options)]
    return pool
