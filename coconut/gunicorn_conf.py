"""How gunicorn runs: `gunicorn --config python:coconut.gunicorn_conf coconut.wsgi`.

The lower-case names are gunicorn's settings; its command line wins over them, and WEB_CONCURRENCY over `workers`.
"""

from __future__ import annotations

import gc
import logging
import logging.config
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from gunicorn.glogging import Logger as GunicornLogger

from coconut import prometheus

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coconut.settings")

workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
# Loaded once, before the workers are forked: they share the memory, and what cannot start says so once.
preload_app = True
# Ends well before a container is killed; a page takes less.
graceful_timeout = 20
# Longer than a proxy keeps a connection that rests, so that it never sends a request into one that is being closed.
keepalive = 75
# Gunicorn's sign of life is a file: on a disk that is busy a healthy worker would be killed.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# It would be a file in the home folder, shared by every installation.
control_socket_disable = True
logger_class = "coconut.gunicorn_conf.Logger"

prometheus.begin()


def when_ready(server: object) -> None:
    """What was loaded before the workers are forked is never looked through for garbage, nor copied for that."""
    gc.collect()
    gc.freeze()


# Asked every few seconds by machines; only worth a line where the answer is not the usual one.
_UNEVENTFUL: Final = ("/healthz", "/readyz", "/metrics")


class Logger(GunicornLogger):  # type: ignore[misc]
    """Gunicorn's lines go where all others go. One for each request, written when the visitor has the answer."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logging.config.dictConfig(settings.LOGGING)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
            log.setLevel(logging.NOTSET)

    @property
    def access_log_enabled(self) -> bool:
        return bool(self.access_log.isEnabledFor(logging.INFO))

    def access(self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: timedelta) -> None:
        method, path = environ.get("REQUEST_METHOD", "-"), environ.get("PATH_INFO", "-")
        status = int(str(resp.status).split(maxsplit=1)[0])
        if not self.access_log_enabled or (path in _UNEVENTFUL and status == 200):
            return
        milliseconds = round(request_time.total_seconds() * 1000, 1)
        self.access_log.info(
            "%s %s %s in %s ms",
            method,
            path,
            status,
            milliseconds,
            # The query is left out: it may hold what people typed.
            extra={"method": method, "path": path, "status": status, "milliseconds": milliseconds},
        )
