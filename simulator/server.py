"""Gunicorn server of the simulator.

It has one worker process, because the store lives in that worker's memory.
"""

from typing import Any

from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication
from gunicorn.http import wsgi

from simulator.store import Options, store

THREADS = 64


class Response(wsgi.Response):  # type: ignore[misc]
    """Response with the Date that the app chose, if any. Gunicorn drops it and sends its own."""

    def process_headers(self, headers: list[tuple[str, str]]) -> None:
        super().process_headers(headers)
        self.date = next((value for name, value in headers if name.lower() == "date"), "")

    def default_headers(self) -> list[str]:
        headers: list[str] = super().default_headers()
        if not self.date:
            return headers
        return [f"Date: {self.date}\r\n" if header.startswith("Date:") else header for header in headers]


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn configured in code instead of by its command line."""

    def __init__(self, host: str, port: int, options: Options) -> None:
        self.address = f"{host}:{port}"
        self.simulator_options = options
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": self.address,
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "worker_connections": 1000,
            "keepalive": 75,
            "graceful_timeout": 1,
            "control_socket_disable": True,
            "loglevel": "warning",
            "worker_exit": _save_state,
            "proc_name": "simulator",
            # Filters make long request lines.
            "limit_request_line": 8190,
            "limit_request_field_size": 65536,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Start the store and return the WSGI app. Runs in the worker, after the fork."""
        wsgi.Response = Response
        store.start(self.simulator_options)
        return get_wsgi_application()


def _save_state(server: Any, worker: Any) -> None:
    store.save()
