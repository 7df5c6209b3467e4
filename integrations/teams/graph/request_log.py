"""What is written down of every request to Graph."""

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
    """One request to Graph, from its start: its `trace` is our id of it, by which Microsoft's support finds it."""

    def __init__(self, connection: Connection, method: str, path: str) -> None:
        """`path` is for the log: without a query."""
        self.trace = str(uuid.uuid4())
        self._method, self._what = method, f"{method} {path}"
        self._whose = {"organization_id": connection.organization_id, "connection_id": connection.pk}
        self._started = time.monotonic()

    def answered(self, response: requests.Response) -> str:
        """Write down the answer; returns Microsoft's id of it, or ours where it has none."""
        request_id: str = response.headers.get("request-id", self.trace)[:100]
        seconds = time.monotonic() - self._started
        metrics.count_response(self._method, response.status_code, seconds)
        logger.info(
            "Graph %s: %s in %d ms (client-request-id %s, request-id %s)",
            self._what,
            response.status_code,
            seconds * 1000,
            self.trace,
            request_id,
            extra=self._fields(
                platform_request_id=request_id,
                status=response.status_code,
                milliseconds=round(seconds * 1000),
            ),
        )
        return request_id

    def failed(self, error: requests.RequestException) -> None:
        """Write down that no answer came.

        The text of the exception holds the address with its query; its type says enough.
        """
        metrics.count_no_response(self._method)
        name = type(error).__name__
        logger.warning(
            "Graph %s: %s (client-request-id %s)",
            self._what,
            name,
            self.trace,
            extra=self._fields(error=name),
        )

    def _fields(self, **more: Any) -> dict[str, Any]:
        return {**self._whose, "client_request_id": self.trace, **more}
