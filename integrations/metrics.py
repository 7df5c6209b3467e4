"""Prometheus counters of meetings. Each process counts its own; `coconut.observability.metrics` adds them up.

No number tells customers, people or meetings apart: what is between them is in the logs.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter

from integrations.platforms.failures import ErrorKind

AGREED: Final = "agreed"
TAKEN_OVER: Final = "taken_over"

_syncs = Counter(
    "coconut_meeting_syncs",
    "Tries to make the video platform agree with a meeting, by what came of them.",
    ["outcome"],
)
# They begin at nought: what was never counted has no rate.
for _outcome in (AGREED, TAKEN_OVER, *(kind.value for kind in ErrorKind)):
    _syncs.labels(_outcome)


def count_sync(outcome: str) -> None:
    """One try is over: AGREED, TAKEN_OVER, or the kind of its error."""
    _syncs.labels(outcome).inc()
