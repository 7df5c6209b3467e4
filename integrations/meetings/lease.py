"""Claim a meeting: one worker at a time works on it, for the duration of a lease.

All times are the database's, so machines need not agree. The lease is longer than the hard time limit of the task:
a worker that still runs still holds its meeting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.functions import Least, Now

from coconut import leases
from integrations.circuit_breaker import acquire_probe, probed_by
from integrations.models import Connection, Meeting
from integrations.models.meetings import MeetingQuerySet

#: Time after which the effect of an uncertain write must be visible.
SETTLED_AFTER = timedelta(seconds=60)
_MOST_ATTEMPTS = 1000  # The count stops here, so that the column never overflows.


class LeaseLost(Exception):
    """Another worker holds the meeting. Stop, and write nothing."""


@dataclass(frozen=True)
class Claim:
    """A meeting as read under the lease, and the right to write its outcome.

    `compare` is true if an uncertain write of an earlier attempt has landed, or never will.
    """

    meeting: Meeting
    token: UUID
    compare: bool

    def row(self) -> QuerySet[Meeting]:
        """Return the meeting's row while this claim holds it, otherwise no row."""
        return Meeting.objects.filter(pk=self.meeting.pk, lease_token=self.token)

    def save(self, **fields: Any) -> None:
        """Write fields that must not be lost before the work goes on. Raises LeaseLost."""
        if not self.row().update(**fields):
            raise LeaseLost
        for name, value in fields.items():
            setattr(self.meeting, name, value)

    @property
    def is_settling(self) -> bool:
        """Return whether a write of an earlier attempt may still land."""
        return self.meeting.recheck_at is not None and not self.compare


def claim_meeting(meeting_id: UUID) -> Claim | None:
    """Claim a due meeting and commit the claim. Return None if the meeting isn't due or another worker holds it.

    A leftover lease token means that the previous worker recorded no outcome. Its last call may still arrive, so the
    meeting is compared once that call must have arrived. Raises RuntimeError inside a transaction.
    """
    token = uuid4()
    with transaction.atomic(durable=True):
        is_claimed = _claim_row(Meeting.objects.filter(pk=meeting_id), token, caller=str(meeting_id))
    return _read_claim(meeting_id, token) if is_claimed else None


def _claim_row(row: MeetingQuerySet, token: UUID, *, caller: str) -> bool:
    """Lease the row if it is due. While the circuit is open, only its probe owner may.

    The connection is locked before the meeting. All conditions are in the WHERE of the UPDATE, never in a join: the
    second of two workers then sees the change of the first.
    """
    able = Connection.objects.able_to_work()
    if _lease_due_row(row.due_on(able.filter(probe_at=None)), token):
        return True
    if not acquire_probe(Connection.objects.filter(pk__in=row.due().values("connection")), caller):
        return False
    if _lease_due_row(row.due_on(probed_by(caller)), token):
        return True
    transaction.set_rollback(True)
    return False


def _lease_due_row(due: MeetingQuerySet, token: UUID) -> bool:
    # PostgreSQL computes all new values from the old row.
    leased = due.update(
        lease_token=token,
        lease_until=Now() + leases.LEASE_DURATION,
        claimed_at=Now(),
        may_exist=Case(When(claimed_at__isnull=False, then=Value(True)), default=F("may_exist")),
        enqueued_at=None,
        attempts=Least(F("attempts") + 1, _MOST_ATTEMPTS),
        recheck_at=Case(When(lease_token__isnull=False, then=Now() + SETTLED_AFTER), default=F("recheck_at")),
    )
    return bool(leased)


def _read_claim(meeting_id: UUID, token: UUID) -> Claim | None:
    """Read the desired state. A request that arrived after the claim is included, as is its version."""
    row = Meeting.objects.filter(pk=meeting_id, lease_token=token)
    meeting = row.select_related("connection").first()
    if meeting is None:
        return None
    compare = meeting.recheck_at is not None and row.filter(recheck_at__lte=Now()).exists()
    return Claim(meeting, token, compare)
