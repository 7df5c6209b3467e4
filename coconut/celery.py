"""The Celery application; its settings are the CELERY_* names of `coconut.settings`."""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery, Task, signals
from django.conf import settings

from coconut import worker_resilience  # noqa: F401 - connects the receivers
from coconut.database import statement_timeouts, task_connections  # noqa: F401 - connects the receivers
from coconut.observability import log_context

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coconut.settings")

app = Celery("coconut")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

REQUEST_ID_HEADER = "coconut_request_id"


@signals.setup_logging.connect
def configure_logging(**kwargs: Any) -> None:
    """Log as the web server does. LOG_LEVEL decides, not `--loglevel`."""
    logging.config.dictConfig(settings.LOGGING)


@signals.before_task_publish.connect
def add_request_id(headers: dict[str, Any], **kwargs: Any) -> None:
    """Send the request id with the task, also from one task to the next."""
    if request_id := log_context.request_id():
        headers[REQUEST_ID_HEADER] = request_id


@signals.task_prerun.connect
def begin_log_context(task: Task[Any, Any], task_id: str, **kwargs: Any) -> None:
    """Add the task and its request id to every log record."""
    fields = {"task": task.name, "task_id": task_id, "request_id": task.request.get(REQUEST_ID_HEADER)}
    log_context.begin(**{name: value for name, value in fields.items() if value})


@signals.task_postrun.connect
def end_log_context(**kwargs: Any) -> None:
    log_context.end()
