"""Several jobs at the same moment, in threads of their own on a real database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection as database


def at_once(*jobs: Callable[[], object]) -> None:
    """Run the jobs at the same moment, each on a database connection of its own; what one raises is raised here."""
    start = Barrier(len(jobs))

    def run(job: Callable[[], object]) -> None:
        try:
            start.wait(timeout=10)
            job()
        finally:
            database.close()

    with ThreadPoolExecutor(len(jobs)) as threads:
        for done in [threads.submit(run, job) for job in jobs]:
            done.result(timeout=30)
