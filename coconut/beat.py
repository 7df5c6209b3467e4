"""Beat's scheduler, with a heartbeat for /readyz."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any, Final

from celery.beat import PersistentScheduler
from redis.exceptions import RedisError

from coconut.observability import health

logger = logging.getLogger(__name__)

_HEARTBEAT_SECONDS: Final = 15.0


class Scheduler(PersistentScheduler):
    """Sends a heartbeat to the cache every few seconds. Without the cache, it only logs a warning."""

    _last_heartbeat = -_HEARTBEAT_SECONDS

    def tick(self, *args: Any, **kwargs: Any) -> float:
        if monotonic() - self._last_heartbeat >= _HEARTBEAT_SECONDS:
            self._last_heartbeat = monotonic()
            self.send_heartbeat()
        seconds: float = super().tick(*args, **kwargs)
        return seconds

    def send_heartbeat(self) -> None:
        try:
            health.record_beat_heartbeat()
        except RedisError as error:
            logger.warning("Beat cannot write its heartbeat to the cache: %s", error)
