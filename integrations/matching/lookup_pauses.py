"""Pauses between failed lookups of new and changed staff, so that a platform isn't asked the same every minute."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models.functions import Now

from integrations.circuit_breaker import growing_pause
from integrations.models import Connection
from integrations.platforms.failures import MOST_UNUSABLE_ANSWERS, ErrorKind
from integrations.platforms.values import PlatformError

#: Pause after `MOST_UNUSABLE_ANSWERS` failures in a row.
LONGEST_LOOKUP_PAUSE: Final = timedelta(days=1)


def postpone_lookups(connection: Connection, error: PlatformError) -> None:
    """Make new and changed staff wait: longer after each failure in a row, and finally a day.

    Outages and throttling aren't counted, because the whole connection waits for their end.
    """
    if error.kind in (ErrorKind.OUTAGE, ErrorKind.THROTTLED):
        return
    failures = min(connection.lookup_failures + 1, MOST_UNUSABLE_ANSWERS)
    growing = timedelta(seconds=growing_pause(failures))
    pause = LONGEST_LOOKUP_PAUSE if failures == MOST_UNUSABLE_ANSWERS else growing
    Connection.objects.filter(pk=connection.pk).update(lookup_failures=failures, lookup_due_at=Now() + pause)


def end_lookup_pause(connection: Connection) -> None:
    """Let new and changed staff be looked up at once again, because a lookup succeeded."""
    if connection.lookup_failures:
        Connection.objects.filter(pk=connection.pk).update(lookup_failures=0, lookup_due_at=None)
