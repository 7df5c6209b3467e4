"""Compare meetings with the platform and with their owners, nightly and by command.

A platform may count reads towards its capacity. A meeting is therefore read at most twice without another reason: a
week and a day before its start. `week_check_at` and `day_check_at` are the times at which these reads were scheduled;
they are never cleared. A meeting that was claimed since its window opened isn't read: that call told as much.

This module makes no calls. It makes meetings due for the same comparison that follows an uncertain write, and
`integrations.meetings.sync` recreates or restores them, with the usual leases, pauses and retries.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.functions import Now, Random
from django.dispatch import receiver

from coconut.isolation import isolated
from integrations.circuit_breaker import connection_recovered
from integrations.hooks import meeting_owners
from integrations.meetings.findings import record_finding
from integrations.meetings.organizers import request_follow
from integrations.meetings.outcomes import NO_COUNTED_FAILURES, NO_ERROR
from integrations.meetings.reconciliation_report import finish
from integrations.meetings.requests import request_cancel, try_again
from integrations.meetings.signals import schedule_sweep, send_meeting_changed
from integrations.messages import Message
from integrations.models import (
    Connection,
    ConnectionStatus,
    DesiredState,
    FindingKind,
    Meeting,
    Reconciliation,
)
from integrations.platforms.registry import platform_of

logger = logging.getLogger(__name__)

WEEK: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
#: Reads of one connection are spread over time, so that bookings come first: one per so much time on average.
PACE: Final = timedelta(seconds=2)
LONGEST_SPREAD: Final = timedelta(hours=3)
#: A connection is reconciled once within this time, however often beat calls.
NIGHT: Final = timedelta(hours=6)
#: Reconciliations that one call of beat starts.
CONNECTIONS_A_ROUND: Final = 30
# The owner of a younger meeting may not be committed yet.
_MIN_AGE: Final = timedelta(minutes=10)
_CHUNK: Final = 1000


def reconcile_everything() -> int:
    """Start the reconciliations that tonight still lacks, and return their number. Beat calls it several times."""
    tonight = Reconciliation.objects.filter(started_at__gt=Now() - NIGHT).values("connection")
    waiting = healthy().exclude(pk__in=tonight)[:CONNECTIONS_A_ROUND]
    started = 0
    for connection in waiting:
        with isolated(f"The reconciliation of connection {connection.pk}"):
            started += _reconcile_tonight(connection)
    return started


def healthy() -> QuerySet[Connection]:
    """Return the connections that can be reconciled. The others follow after they were reauthorized."""
    return Connection.objects.filter(status=ConnectionStatus.CONNECTED).select_related("organization")


def reconcile(connection: Connection) -> Reconciliation:
    """Repair the rows, and make all meetings that need a read due at once."""
    repaired = _repair_rows(connection)
    with transaction.atomic():
        Connection.objects.lock(connection.pk)
        return _start_reconciliation(connection, repaired, spread=False)


def _reconcile_tonight(connection: Connection) -> bool:
    """Reconcile with the reads spread over time. Return False if tonight's reconciliation was started meanwhile."""
    repaired = _repair_rows(connection)
    with transaction.atomic():
        Connection.objects.lock(connection.pk)
        is_new = not connection.reconciliations.filter(started_at__gt=Now() - NIGHT).exists()
        if is_new:
            _start_reconciliation(connection, repaired, spread=True)
    return is_new


def _repair_rows(connection: Connection) -> int:
    """Repair what our own rows show, and return the number of repaired meetings.

    Refused deletions are tried again: an admin who fixed the reason need not remember them.
    """
    try_again(Meeting.objects.filter(connection=connection, desired_state=DesiredState.ABSENT, ends_at__gt=Now()))
    request_follow(connection)
    repaired = sum(owner.repair(connection) for owner in meeting_owners)
    return repaired + _cancel_unowned(connection) + resume_orphaned(connection.pk)


def _start_reconciliation(connection: Connection, repaired: int, *, spread: bool) -> Reconciliation:
    for unfinished in connection.reconciliations.unfinished():
        finish(unfinished)
    run = Reconciliation.objects.create(connection=connection, repaired=repaired)
    run.inspected = _schedule_reads(connection, spread=spread)
    run.save(update_fields=["inspected"])
    run.refresh_from_db()
    if run.inspected == 0:
        finish(run)
    return run


def to_read_for_week(connection: Connection) -> QuerySet[Meeting]:
    """Return the meetings between a day and a week before their start, last claimed before that week."""
    return _unread(connection).filter(
        week_check_at__isnull=True,
        starts_at__gt=Now() + DAY,
        starts_at__lte=Now() + WEEK,
        claimed_at__lt=F("starts_at") - WEEK,
    )


def to_read_for_day(connection: Connection) -> QuerySet[Meeting]:
    """Return the meetings within a day before their start, last claimed before that day."""
    return _unread(connection).filter(
        starts_at__gt=Now(), starts_at__lte=Now() + DAY, claimed_at__lt=F("starts_at") - DAY
    )


def _unread(connection: Connection) -> QuerySet[Meeting]:
    return Meeting.objects.in_sync().filter(connection=connection, day_check_at__isnull=True)


def _schedule_reads(connection: Connection, *, spread: bool) -> int:
    """Make the meetings due for a comparison, and return their number.

    The WHERE of each UPDATE holds all conditions: the second of two concurrent calls finds nothing to do.
    """
    for_week, for_day = to_read_for_week(connection), to_read_for_day(connection)
    period = _spread_period(for_week.count() + for_day.count()) if spread else timedelta(0)
    return for_day.update(day_check_at=Now(), **_due_within(period)) + for_week.update(
        week_check_at=Now(), **_due_within(period)
    )


def _spread_period(reads: int) -> timedelta:
    return min(reads * PACE, LONGEST_SPREAD)


def _due_within(period: timedelta) -> dict[str, Any]:
    random_time = ExpressionWrapper(Now() + Value(period) * Random(), output_field=DateTimeField())
    return {"due_at": random_time, "recheck_at": Now(), "enqueued_at": None}


@receiver(connection_recovered)
def resume_orphaned_after_recovery(connection_id: int, **kwargs: Any) -> None:
    """Delete orphaned meetings once the platform answers again, perhaps after it was disconnected."""
    resume_orphaned(connection_id)


def resume_orphaned(connection_id: int) -> int:
    """Make orphaned meetings that haven't ended due for deletion, and return their number.

    If the platform's id is unknown, the worker finds the meeting by our key. Does nothing while disconnected.
    """
    with transaction.atomic():
        rows = Meeting.objects.orphaned().filter(
            connection=connection_id,
            connection__in=Connection.objects.live().values("pk"),
            ends_at__gt=Now(),
        )
        orphaned = list(rows.select_for_update(of=("self",), no_key=True).select_related("connection"))
        Meeting.objects.filter(pk__in=[each.pk for each in orphaned]).update(
            version=F("version") + 1,
            due_at=Now(),
            enqueued_at=None,
            attempts=0,
            warning=Message(),
            is_orphaned=False,
            **NO_COUNTED_FAILURES,
            **NO_ERROR,
        )
        for meeting in orphaned:
            send_meeting_changed(meeting.pk)
            record_finding(meeting, FindingKind.ORPHANED, {"platform": platform_of(meeting.connection).label})
        if orphaned:
            schedule_sweep()
    return len(orphaned)


def _cancel_unowned(connection: Connection) -> int:
    """Cancel the meetings that no app owns any more, and return their number.

    Owners cancel their meetings, so there should be none. Without a registered owner, all meetings stay.
    """
    owners = list(meeting_owners)
    if not owners:
        return 0
    cancelled = 0
    for ids in _live_ids_in_chunks(connection):
        for owner in owners:
            ids -= set(owner.owned(ids))
        cancelled += sum(_cancel_unowned_meeting(meeting_id) for meeting_id in ids)
    return cancelled


def _live_ids_in_chunks(connection: Connection) -> Iterator[set[UUID]]:
    """Yield the ids of the connection's live meetings."""
    live = Meeting.objects.filter(
        connection=connection,
        desired_state=DesiredState.PRESENT,
        ends_at__gt=Now(),
        created_at__lt=Now() - _MIN_AGE,
    )
    ids = list(live.values_list("pk", flat=True))
    for first in range(0, len(ids), _CHUNK):
        yield set(ids[first : first + _CHUNK])


@transaction.atomic
def _cancel_unowned_meeting(meeting_id: UUID) -> bool:
    meeting = (
        Meeting.objects.select_for_update(no_key=True).filter(pk=meeting_id, desired_state=DesiredState.PRESENT).first()
    )
    if meeting is None:
        return False
    logger.warning("Meeting %s has no owner any more and is cancelled.", meeting_id)
    request_cancel(meeting_id)
    record_finding(meeting, FindingKind.UNOWNED)
    return True
