"""A worker's numbers at `/` of WORKER_METRICS_PORT, told by its parent process for all its children."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from celery import signals
from django.conf import settings
from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from coconut import prometheus


@signals.celeryd_init.connect
def begin_counting(**kwargs: Any) -> None:
    """A worker that starts has done nothing yet."""
    prometheus.begin()


@signals.worker_ready.connect
def serve(**kwargs: Any) -> None:
    """Answer whoever asks, until the worker ends. Without a port, nobody may ask."""
    port = settings.WORKER_METRICS_PORT
    if port:
        server = make_server("", port, application, ThreadingWSGIServer, _Silent)
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The numbers, for whoever has METRICS_TOKEN."""
    refusal = prometheus.refuse(environ.get("HTTP_AUTHORIZATION", ""))
    if refusal:
        start_response(f"{refusal} Refused", [("Content-Length", "0")])
        return [b""]
    answer: Iterable[bytes] = make_wsgi_app(prometheus.registry())(environ, start_response)
    return answer


class _Silent(WSGIRequestHandler):
    """A line for every question would be a line every few seconds."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass
