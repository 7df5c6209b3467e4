"""Prometheus counters of meeting syncs. Each process counts its own; `coconut.observability.metrics` adds them up.

No label identifies a customer, person or meeting; logs have these details.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter

from integrations.platforms.failures import ErrorKind

AGREED: Final = "agreed"
TAKEN_OVER: Final = "taken_over"

_syncs = Counter(
    "coconut_meeting_syncs",
    "Attempts to sync a meeting with the video platform, by outcome.",
    ["outcome"],
)
# Initialise to 0 so that rate() works before the first event.
for _outcome in (AGREED, TAKEN_OVER, *(kind.value for kind in ErrorKind)):
    _syncs.labels(_outcome)


def count_sync(outcome: str) -> None:
    """Count an attempt. `outcome` is AGREED, TAKEN_OVER or the kind of the error."""
    _syncs.labels(outcome).inc()
