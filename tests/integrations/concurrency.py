"""Run several jobs at the same time, in threads with their own database connections."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection as database


def at_once(*jobs: Callable[[], object]) -> None:
    """Run the jobs at the same time. Raises the first exception of a job."""
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
