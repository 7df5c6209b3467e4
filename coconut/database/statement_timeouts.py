"""Time limits of SQL: a statement that runs away must not hold a connection, a thread and locks until it ends.

Neither must the transaction of a process that is frozen, such as on a paused virtual machine.

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
    """Limit statements, and pauses inside transactions, on connections that this process opens.

    A limit in the URL of the database is kept.
    """
    options = connections.settings["default"]["OPTIONS"]
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        if name not in options["options"]:
            options["options"] += f" -c {name}={seconds}s"


@signals.worker_init.connect
def limit_worker_statements(**kwargs: Any) -> None:
    limit_statements(WORKER_SECONDS)
