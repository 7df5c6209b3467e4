"""Quota of resource units for an app's directory requests in a tenant.

Microsoft: throttling-limits, identity and access. The tenant's quota is off unless `Behaviour.resource_units` is set.
"""

import math
from dataclasses import dataclass

WINDOW_SECONDS = 10
# Responses above this share of the quota ask clients to slow down.
WARNING_SHARE = 0.8


@dataclass
class _Window:
    ends_at: float
    used: int = 0


class ResourceUnits:
    """Resource units that each app has used in each tenant. Callers hold `store.lock`."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], _Window] = {}

    def clear(self) -> None:
        """Start a new window for every app."""
        self._windows.clear()

    def charge(self, app: str, tenant: str, units: int, *, quota: int, now: float) -> tuple[int | None, float]:
        """Use units. Return the seconds to wait if the quota is exceeded, and the used share of the quota.

        Refused requests count, too (Microsoft: throttling).
        """
        window = self._windows.get((app, tenant))
        if window is None or now >= window.ends_at:
            window = self._windows[app, tenant] = _Window(now + WINDOW_SECONDS)
        window.used += units
        wait = math.ceil(window.ends_at - now) if window.used > quota else None
        return wait, window.used / quota
