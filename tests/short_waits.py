"""A Django app of the stack's programs that shortens leases and pauses: a minute in production is a second there."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType

from django.apps import AppConfig

SECOND = timedelta(seconds=1)


class ShortWaits(AppConfig):
    name = "tests.short_waits"

    def ready(self) -> None:
        from appointments.notifications import outbox
        from coconut import leases
        from integrations import circuit_breaker
        from integrations.matching import host_permission_schedule, rematch_lease
        from integrations.meetings import lease, sweep_queries

        # Longer than CELERY_TASK_TIME_LIMIT in `tests.stack_settings`.
        _shorten(leases, LEASE_DURATION=6 * SECOND)
        _shorten(rematch_lease, RUN_LEASE_DURATION=6 * SECOND)
        _shorten(outbox, HOLD=SECOND)
        _shorten(lease, SETTLED_AFTER=SECOND)
        _shorten(sweep_queries, ENQUEUE_PAUSE=SECOND)
        _shorten(circuit_breaker, FIRST_PAUSE_SECONDS=1, LONGEST_PAUSE_SECONDS=3, LONGEST_PROBE_PAUSE_SECONDS=2)
        _shorten(host_permission_schedule, FIRST_PAUSE=SECOND)


def _shorten(module: ModuleType, **waits: timedelta | int) -> None:
    """Replace constants of the module. Raises AssertionError if one is unknown or isn't longer."""
    for name, wait in waits.items():
        assert getattr(module, name) > wait, f"{module.__name__}.{name}"
        setattr(module, name, wait)
