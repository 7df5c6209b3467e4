"""Pause between attempts that fail in a row."""

from __future__ import annotations

import random
from typing import Final

from celery.utils.time import get_exponential_backoff_interval

# The pause is at its limit long before, and 2 to a larger power overflows a database column.
_MOST_DOUBLINGS: Final = 20


def backoff(failures: int, *, first: float, longest: float, jitter: float = 0.25) -> float:
    """Return the seconds to wait after `failures` earlier failures in a row.

    The pause starts at `first` seconds, doubles up to `longest`, and loses up to the share `jitter` to spread the load.
    """
    doublings = min(max(failures, 0), _MOST_DOUBLINGS)
    growth = get_exponential_backoff_interval(factor=1, retries=doublings, maximum=2**_MOST_DOUBLINGS)
    return min(first * growth, longest) * random.uniform(1 - jitter, 1)  # noqa: S311 - spreads load, keeps no secret
