"""Configuration of gunicorn: `gunicorn --config python:coconut.gunicorn_conf coconut.wsgi`.

The lower-case names are gunicorn's settings. Its command line overrides them; WEB_CONCURRENCY sets `workers`.
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

from coconut.observability import prometheus

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coconut.settings")

workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "coconut.web.waitress_worker.WaitressWorker"
threads = 8
# Open connections of a worker. Fewer than the usual limit of 1,024 open files.
worker_connections = 800
# Load the application once, before the fork: the workers share its memory, and a broken start is reported once.
preload_app = True
# Shorter than the time after which a container is killed.
graceful_timeout = 20
# Longer than a proxy keeps an idle connection, so that it never sends a request into a connection being closed.
keepalive = 75
# Workers prove with a file that they are alive. On a busy disk, gunicorn would kill healthy ones.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# The socket would be a file in the home directory, shared by all installations.
control_socket_disable = True
# A peer can't set SCRIPT_NAME and PATH_INFO, which would bypass the proxy's rules for paths.
forwarder_headers = ""
logger_class = "coconut.gunicorn_conf.Logger"

# Here, because gunicorn calls its hooks only after it has loaded the application.
prometheus.prepare_folder()
prometheus.remove_old_counters()


def when_ready(server: object) -> None:
    """Keep what was loaded before the fork out of garbage collection, so that the workers keep sharing it."""
    gc.collect()
    gc.freeze()


# Requested every few seconds; a success is not logged.
_PROBES: Final = ("/healthz", "/readyz", "/metrics")


class Logger(GunicornLogger):  # type: ignore[misc]
    """Logs as all other code does, with one record per request, written after the response."""

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
        if not self.access_log_enabled or (path in _PROBES and status == 200):
            return
        milliseconds = round(request_time.total_seconds() * 1000, 1)
        self.access_log.info(
            "%s %s %s in %s ms",
            method,
            path,
            status,
            milliseconds,
            # Without the query string: it may hold what people typed.
            extra={"method": method, "path": path, "status": status, "milliseconds": milliseconds},
        )
