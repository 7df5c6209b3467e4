"""Metrics of a worker on WORKER_METRICS_PORT, served by the parent process for all its children."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from celery import signals
from django.conf import settings
from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from coconut.observability import prometheus


@signals.celeryd_init.connect
def reset_counters(**kwargs: Any) -> None:
    prometheus.remove_old_counters()


@signals.worker_ready.connect
def start_server(**kwargs: Any) -> None:
    """Serve until the worker ends. Without WORKER_METRICS_PORT, serve nothing."""
    port = settings.WORKER_METRICS_PORT
    if port:
        server = make_server("", port, application, ThreadingWSGIServer, _SilentHandler)
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a scrape that carries METRICS_TOKEN."""
    refusal = prometheus.refusal_status(environ.get("HTTP_AUTHORIZATION", ""))
    if refusal:
        start_response(f"{refusal} Refused", [("Content-Length", "0")])
        return [b""]
    body: Iterable[bytes] = make_wsgi_app(prometheus.registry())(environ, start_response)
    return body


class _SilentHandler(WSGIRequestHandler):
    """Log nothing: a scrape comes every few seconds."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass
