"""Pauses that Microsoft's sign-in service requests. They are those of the whole connection.

MSAL remembers a pause, but only in an application object, and each request has its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from integrations.circuit_breaker import growing_pause, pause, remaining_pause
from integrations.messages import Message
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.messages import TeamsMessage


@contextmanager
def respecting_pause(connection_id: int) -> Iterator[None]:
    """Send a token request in this block, unless the connection is paused. If Microsoft throttles it, pause.

    Raises PlatformError (THROTTLED) instead of entering the block.
    """
    seconds = remaining_pause(connection_id)
    if seconds:
        raise PlatformError(ErrorKind.THROTTLED, Message(TeamsMessage.THROTTLED), retry_after=seconds)
    try:
        yield
    except PlatformError as problem:
        if problem.kind == ErrorKind.THROTTLED:
            pause(connection_id, problem.retry_after or growing_pause(0))
        raise
