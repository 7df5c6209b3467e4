"""Keep a worker alive when it loses its broker.

If the connection to Redis is lost during a task, kombu (5.7) acknowledges the task on the closed channel. There it
fails with an AttributeError that ends the worker. Raised as a ConnectionError instead, the failure is only logged: the
broker delivers the task again, and every task may run twice.
"""

from __future__ import annotations

from typing import Any

from celery import signals
from kombu.transport.redis import Channel

_connparams = Channel._connparams  # type: ignore[attr-defined]


def _connparams_of_open_connection(channel: Channel, *args: Any, **kwargs: Any) -> Any:
    if channel.connection is None or channel.connection.client is None:
        raise ConnectionError("The connection to the broker was closed.")
    return _connparams(channel, *args, **kwargs)


@signals.worker_init.connect
def patch_channel(**kwargs: Any) -> None:
    """Make the channels of this worker raise ConnectionError once their connection is closed."""
    Channel._connparams = _connparams_of_open_connection  # type: ignore[attr-defined]
