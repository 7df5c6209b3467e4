"""Numbers that processes count while they work, added up for whoever asks with METRICS_TOKEN.

Where several processes share a machine (gunicorn's workers, a worker's children) they count into files in
PROMETHEUS_MULTIPROC_DIR, and whoever is asked adds up. A child that dies leaves its file: what happened has happened.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.crypto import constant_time_compare
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

_FILES: Final = "PROMETHEUS_MULTIPROC_DIR"


def begin() -> None:
    """Forget what processes of an earlier start counted. Call it once, before the first child is forked."""
    folder = os.environ.get(_FILES)
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for file in Path(folder).glob("*.db"):
            file.unlink()


def registry(*more: Collector) -> CollectorRegistry:
    """What this process, or all processes that share its files, counted, and `more`."""
    found = CollectorRegistry()
    if os.environ.get(_FILES):
        MultiProcessCollector(found)  # type: ignore[no-untyped-call]
    else:
        found.register(REGISTRY)
    for collector in more:
        found.register(collector)
    return found


def refuse(authorization: str) -> int:
    """The status to refuse somebody with who sent this header; 0 for whoever may see the numbers."""
    if not settings.METRICS_TOKEN:
        return 404
    return 0 if constant_time_compare(authorization, f"Bearer {settings.METRICS_TOKEN}") else 401
