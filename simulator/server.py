"""The process: gunicorn with one worker, because the state lives in its memory."""

from typing import Any

from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication

from simulator.store import Options, world

THREADS = 64


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn without its command line."""

    def __init__(self, host: str, port: int, options: Options) -> None:
        self.address = f"{host}:{port}"
        self.world_options = options
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
            "worker_exit": _save,
            "proc_name": "simulator",
            # Batches and filters make long lines.
            "limit_request_line": 8190,
            "limit_request_field_size": 65536,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Runs in the worker, after the fork."""
        world.start(self.world_options)
        return get_wsgi_application()


def _save(server: Any, worker: Any) -> None:
    world.save()
