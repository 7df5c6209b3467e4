"""Keep a worker's database connection from one task to the next, as the web server does between requests.

By default, Celery closes it before and after each task, so every task waits for a new one.
"""

from __future__ import annotations

from typing import Any

from celery import Task, signals
from django.db import close_old_connections


@signals.task_prerun.connect
@signals.task_postrun.connect
def close_unusable_connections(task: Task[Any, Any], **kwargs: Any) -> None:
    """Close connections that are broken or older than CONN_MAX_AGE, and check the others before their next query."""
    if not task.request.is_eager:
        close_old_connections()
