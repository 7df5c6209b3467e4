"""Clock of the organisation: all times of day that people read, in 24 or 12 hours.

The clock is set for a request or an email, as Django's time zone is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, time
from typing import Final

from django.utils.formats import time_format

from staff.models import Clock

_current: Final[ContextVar[str]] = ContextVar("clock", default=Clock.HOURS_24)


@contextmanager
def override_clock(clock: str) -> Iterator[None]:
    """Use this `Clock` until the end of the block."""
    token = _current.set(clock)
    try:
        yield
    finally:
        _current.reset(token)


def has_12_hours() -> bool:
    """Return whether the current clock has 12 hours."""
    return _current.get() == Clock.HOURS_12


def format_time(at: time | datetime) -> str:
    """Return the time of day by the current clock: "14:30" or "2:30 PM"."""
    return time_format(at, "g:i A") if has_12_hours() else f"{at:%H:%M}"
