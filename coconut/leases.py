"""Leases: exclusive work on a row for a limited time.

All times are the database's, so that the clocks of the machines may differ. A holder that comes back after its lease
ended finds another token in the row and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, Self, TypeVar
from uuid import UUID

from django.core.cache import cache
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from coconut.rate_limits import cache_may_be_down

Leased = TypeVar("Leased", bound="LeasedModel")

#: Longer than CELERY_TASK_TIME_LIMIT, so that a worker that still runs still holds its row.
LEASE_DURATION = timedelta(seconds=90)
#: Column values of a row without a lease.
NO_LEASE: Final[dict[str, None]] = {"lease_token": None, "lease_until": None}


def unleased() -> Q:
    """Return the condition of rows without a running lease."""
    return Q(lease_until__isnull=True) | Q(lease_until__lte=Now())


class LeasedModel(models.Model):
    """Columns of a row that one worker at a time may hold."""

    # A token that is left after its lease ended means that the previous worker recorded no outcome.
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class LeaseQuerySet(models.QuerySet[Leased]):
    """Lease operations. Each is one conditional UPDATE and returns the number of rows it changed."""

    def unleased(self) -> Self:
        """Return the rows without a running lease."""
        return self.filter(unleased())

    def held_by(self, token: UUID | None) -> Self:
        """Return the rows that still carry the token, even if the lease ended."""
        return self.filter(lease_token=token)

    def acquire_lease(self, token: UUID, duration: timedelta, **fields: Any) -> int:
        """Hold the unleased rows for `duration`, and write `fields` with the lease."""
        return self.unleased().update(lease_token=token, lease_until=Now() + duration, **fields)

    def renew_lease(self, token: UUID | None, duration: timedelta, **fields: Any) -> int:
        """Extend the lease to `duration` from now, and write `fields`."""
        return self.held_by(token).update(lease_until=Now() + duration, **fields)

    def release_lease(self, token: UUID | None, **fields: Any) -> int:
        """End the lease, and write `fields`."""
        return self.held_by(token).update(**NO_LEASE, **fields)


@contextmanager
def only_worker(key: str) -> Iterator[bool]:
    """Yield whether this worker is the only one in a block with the same key.

    For work that several workers may do, at a higher cost. Without a cache, each of them is the only one.
    """
    is_only_worker = True
    with cache_may_be_down():
        is_only_worker = cache.add(key, True, timeout=LEASE_DURATION.total_seconds())
    try:
        yield is_only_worker
    finally:
        if is_only_worker:
            with cache_may_be_down():
                cache.delete(key)
