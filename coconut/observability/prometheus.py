"""Prometheus counters of one program, and access to them with METRICS_TOKEN.

If several processes work for one program (gunicorn's or a worker's child processes), they count into files in
PROMETHEUS_MULTIPROC_DIR, and the process that serves a scrape adds them up. The file of a child that died stays, so
that its counts aren't lost.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.crypto import constant_time_compare

# `prometheus_client` reads the environment when it is imported, which must not happen before `prepare_folder`.
if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.registry import Collector


def prepare_folder() -> None:
    """Create PROMETHEUS_MULTIPROC_DIR, without counters of an earlier process that had this process's id."""
    if not settings.PROMETHEUS_MULTIPROC_DIR:
        # `prometheus_client` takes an empty value for the working directory.
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
        return
    folder = Path(settings.PROMETHEUS_MULTIPROC_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob(f"*_{os.getpid()}.db"):
        file.unlink(missing_ok=True)


def remove_old_counters() -> None:
    """Remove the counters of an earlier start of the program. Call it once, before the first fork."""
    if settings.PROMETHEUS_MULTIPROC_DIR:
        for file in Path(settings.PROMETHEUS_MULTIPROC_DIR).glob("*.db"):
            if not file.stem.endswith(f"_{os.getpid()}"):
                file.unlink(missing_ok=True)


def registry(*more: Collector) -> CollectorRegistry:
    """Return a registry of the program's counters and of `more` collectors."""
    from prometheus_client import REGISTRY, CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    found = CollectorRegistry()
    if settings.PROMETHEUS_MULTIPROC_DIR:
        MultiProcessCollector(found)  # type: ignore[no-untyped-call]
    else:
        found.register(REGISTRY)
    for collector in more:
        found.register(collector)
    return found


def refusal_status(authorization: str) -> int:
    """Return the HTTP status that refuses a request with this Authorization header, or 0 if it is allowed."""
    if not settings.METRICS_TOKEN:
        return 404
    return 0 if constant_time_compare(authorization, f"Bearer {settings.METRICS_TOKEN}") else 401
