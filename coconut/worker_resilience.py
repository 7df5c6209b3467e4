"""A worker outlives its broker.

When a task ends after the connection to Redis was lost, kombu (5.7) acknowledges it on the channel that was closed,
trips over the connection that is not there any more, and the worker ends itself. As an error of the connection it is a
line in the log: the broker gives the task out again, and every task may run twice.
"""

from __future__ import annotations

from typing import Any

from kombu.transport.redis import Channel

_connparams = Channel._connparams  # type: ignore[attr-defined]


def _of_an_open_connection(channel: Channel, *args: Any, **kwargs: Any) -> Any:
    if channel.connection is None or channel.connection.client is None:
        raise ConnectionError("The connection to the broker was closed.")
    return _connparams(channel, *args, **kwargs)


def outlive() -> None:
    """Have every channel of this process say that its connection was closed."""
    Channel._connparams = _of_an_open_connection  # type: ignore[attr-defined]
