"""Who may work on a meeting: one worker at a time, for the time of a lease.

All times are the database's, so that machines need not agree. The lease is longer than the hard limit of the task:
a worker that still runs still owns what it works on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, QuerySet, When
from django.db.models.functions import Least, Now

from integrations.circuit_breaker import acquire_probe, probed_by
from integrations.models import Connection, Meeting
from integrations.models.meetings import MeetingQuerySet

_MOST_ATTEMPTS = 1000  # more are not counted, so that the column never overflows


class LeaseLost(Exception):
    """Somebody else works on the meeting by now: stop, and write nothing."""


@dataclass(frozen=True)
class Claim:
    """A meeting as it was read under the lease, and the right to write what becomes of it.

    `compare` says that an uncertain write of an earlier worker has landed by now, if it ever does.
    """

    meeting: Meeting
    token: UUID
    compare: bool

    def mine(self) -> QuerySet[Meeting]:
        """The row, as long as this claim holds it."""
        return Meeting.objects.filter(pk=self.meeting.pk, lease_token=self.token)

    def keep(self, **fields: Any) -> None:
        """Write something that must not be lost before the work goes on. Raises LeaseLost."""
        if not self.mine().update(**fields):
            raise LeaseLost
        for name, value in fields.items():
            setattr(self.meeting, name, value)


def claim(meeting_id: UUID) -> Claim | None:
    """Take up a meeting that is due, and commit that before anything else happens; None when it is not ours to do.

    Whoever finds the token of an earlier worker knows that its outcome was never written: what that one sent may
    still arrive, so the meeting is compared again when it must have arrived. RuntimeError inside a transaction.
    """
    token = uuid4()
    with transaction.atomic(durable=True):
        claimed = _take(Meeting.objects.filter(pk=meeting_id), token, caller=str(meeting_id))
    return _read(meeting_id, token) if claimed else None


def _take(this: MeetingQuerySet, token: UUID, *, caller: str) -> bool:
    """Hold it, if it is due. While the platform is thought to be down only the one who probes it may.

    The connection is locked before the meeting. Every condition is on the row that is updated, never in a join: of two
    workers the second one then finds it changed.
    """
    able = Connection.objects.able_to_work()
    if _hold(this.due_on(able.filter(probe_at=None)), token):
        return True
    if not acquire_probe(Connection.objects.filter(pk__in=this.due().values("connection")), caller):
        return False
    if _hold(this.due_on(probed_by(caller)), token):
        return True
    transaction.set_rollback(True)
    return False


def _hold(due: MeetingQuerySet, token: UUID) -> bool:
    held = due.update(
        lease_token=token,
        lease_until=Now() + timedelta(seconds=settings.MEETING_LEASE_SECONDS),
        claimed_at=Now(),
        enqueued_at=None,
        attempts=Least(F("attempts") + 1, _MOST_ATTEMPTS),
        recheck_at=Case(
            When(lease_token__isnull=False, then=Now() + settled_after()), default=F("recheck_at")
        ),
    )
    return bool(held)


def _read(meeting_id: UUID, token: UUID) -> Claim | None:
    """Read what is wanted now. An ask that came since the claim is part of it, and of the version that is read."""
    mine = Meeting.objects.filter(pk=meeting_id, lease_token=token)
    meeting = mine.select_related("connection").first()
    if meeting is None:
        return None
    compare = meeting.recheck_at is not None and mine.filter(recheck_at__lte=Now()).exists()
    return Claim(meeting, token, compare)


def settled_after() -> timedelta:
    """How long after an uncertain write its effect must be visible."""
    return timedelta(seconds=settings.MEETING_RECHECK_SECONDS)
