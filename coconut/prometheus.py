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

# Before the library is imported, which looks for the folder then: the settings make it.
_FOLDER: Final[str] = settings.COUNTS_FOLDER

from prometheus_client import REGISTRY, CollectorRegistry  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402
from prometheus_client.registry import Collector  # noqa: E402


def begin() -> None:
    """Forget what processes of an earlier start counted. Call it once, before the first child is forked."""
    for file in Path(_FOLDER).glob("*.db") if _FOLDER else ():
        if not file.stem.endswith(f"_{os.getpid()}"):
            file.unlink(missing_ok=True)


def registry(*more: Collector) -> CollectorRegistry:
    """What this process, or all processes that share its files, counted, and `more`."""
    found = CollectorRegistry()
    if _FOLDER:
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
