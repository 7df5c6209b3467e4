"""The Celery application; its settings are the CELERY_* names of `coconut.settings`."""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery, Task, signals
from django.conf import settings

from coconut import log_context, worker_resilience

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coconut.settings")

worker_resilience.outlive()
app = Celery("coconut")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

REQUEST_ID_HEADER = "coconut_request_id"


@signals.setup_logging.connect
def configure_logs(**kwargs: Any) -> None:
    """Workers and beat write their lines as the web server does; LOG_LEVEL decides, not --loglevel."""
    logging.config.dictConfig(settings.LOGGING)


@signals.before_task_publish.connect
def pass_on_request_id(headers: dict[str, Any], **kwargs: Any) -> None:
    """A task goes back to the request that asked for it, also over several tasks."""
    if known := log_context.request_id():
        headers[REQUEST_ID_HEADER] = known


@signals.task_prerun.connect
def begin_task(task: Task[Any, Any], task_id: str, **kwargs: Any) -> None:
    """From here on the lines of this process are the task's."""
    fields = {"task": task.name, "task_id": task_id, "request_id": task.request.get(REQUEST_ID_HEADER)}
    log_context.begin(**{name: value for name, value in fields.items() if value})


@signals.task_postrun.connect
def end_task(**kwargs: Any) -> None:
    """What follows is nobody's."""
    log_context.end()
