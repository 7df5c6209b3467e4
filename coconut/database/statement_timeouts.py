"""Time limits of SQL statements: one that runs away must not hold a connection, a thread and locks until it ends.

Management commands such as `migrate` have no limit.
"""

from __future__ import annotations

from typing import Any, Final

from celery import signals
from django.db import connections

#: Longer than any page takes.
WEB_SECONDS: Final = 30
#: As long as the longest task. PostgreSQL would go on with the statement of a worker that was killed.
WORKER_SECONDS: Final = 120


def limit_statements(seconds: int) -> None:
    """Limit the statements of connections that this process opens, unless the URL of the database has a limit."""
    options = connections.settings["default"]["OPTIONS"]
    if "statement_timeout" not in options["options"]:
        options["options"] += f" -c statement_timeout={seconds}s"


@signals.worker_init.connect
def limit_worker_statements(**kwargs: Any) -> None:
    limit_statements(WORKER_SECONDS)
