"""Log and count each request to Graph."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

import requests

from integrations.models import Connection
from integrations.teams import metrics

logger = logging.getLogger(__name__)


class LoggedRequest:
    """A request to Graph, timed from its creation. Microsoft's support can find it by `client_request_id`."""

    def __init__(self, connection: Connection, method: str, path: str) -> None:
        """`path` is logged, so it must not contain a query."""
        self.client_request_id = str(uuid.uuid4())
        self._method, self._what = method, f"{method} {path}"
        self._context = {"organization_id": connection.organization_id, "connection_id": connection.pk}
        self._started = time.monotonic()

    def log_response(self, response: requests.Response) -> str:
        """Log the response. Return Microsoft's request id, or ours if it has none."""
        request_id = _printable(response.headers.get("request-id", ""))[:100] or self.client_request_id
        seconds = time.monotonic() - self._started
        metrics.count_response(self._method, response.status_code, seconds)
        logger.info(
            "Graph %s: %s in %d ms (client-request-id %s, request-id %s)",
            self._what,
            response.status_code,
            seconds * 1000,
            self.client_request_id,
            request_id,
            extra=self._fields(
                platform_request_id=request_id,
                status=response.status_code,
                milliseconds=round(seconds * 1000),
            ),
        )
        return request_id

    def log_failure(self, error: Exception) -> None:
        """Log that no response arrived. The exception's text isn't logged, because it holds the query."""
        metrics.count_no_response(self._method)
        name = type(error).__name__
        logger.warning(
            "Graph %s: %s (client-request-id %s)",
            self._what,
            name,
            self.client_request_id,
            extra=self._fields(error=name),
        )

    def _fields(self, **more: Any) -> dict[str, Any]:
        return {**self._context, "client_request_id": self.client_request_id, **more}


def _printable(text: str) -> str:
    """Remove control characters. PostgreSQL rejects NUL."""
    return "".join(char for char in text if char.isprintable())
