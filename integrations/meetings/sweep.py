"""The sweep: send tasks for due meetings, and end meetings that can no longer be synced, with a reason."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from coconut.leases import unleased
from coconut.task_queue import Priority
from integrations.meetings.signals import enqueue_meetings_on_commit, send_meeting_changed
from integrations.meetings.sweep_queries import SweepWork, find_work, needs_task, unexplained
from integrations.messages import Message, NeutralMessage
from integrations.models import Connection, ConnectionStatus, DesiredState, Meeting
from integrations.platforms.failures import ErrorKind

logger = logging.getLogger(__name__)

#: Most meetings that one sweep handles.
BATCH_SIZE = 200
#: A cancelled meeting is still deleted so long after its end, as its link may be open somewhere.
_DELETE_AFTER_END = timedelta(days=1)


def sweep() -> int:
    """Send tasks for due meetings, earliest appointment first, and return their number. Beat calls it every 15 s.

    It reads only meetings with open work, which have indexes of their own.
    """
    work = find_work()
    if work.has_ended:
        end_past_meetings(Meeting.objects.all())
    if work.has_disconnected:
        fail_pending(Connection.objects.filter(status=ConnectionStatus.DISCONNECTED))
    if work.has_unexplained:
        explain_waiting()
    enqueued = _enqueue_due_meetings(work) if work.without_task else 0
    if enqueued:
        logger.info("The sweep enqueued %s meetings.", enqueued)
    return enqueued


def _enqueue_due_meetings(work: SweepWork) -> int:
    """Fill the queue up to one batch, so that it stays short and in order."""
    room = BATCH_SIZE - work.with_task
    if room <= 0:
        return 0
    with transaction.atomic():
        due = Meeting.objects.due().filter(needs_task()).order_by("starts_at", "pk")
        if work.has_open_circuit:
            due = due.filter(Q(connection__probe_at__isnull=True) | Q(pk__in=_probe_meetings(due)))
        ids = _lock_rows(due, at_most=room)
        Meeting.objects.filter(pk__in=ids).mark_enqueued()
    enqueue_meetings_on_commit(ids, Priority.SWEPT)
    return len(ids)


def _probe_meetings(due: QuerySet[Meeting]) -> list[UUID]:
    """Return the earliest meeting of each connection whose circuit is open.

    One meeting is enough to probe the platform. If it fails, it is due later than the others, so they take turns.
    """
    probes = due.filter(connection__probe_at__isnull=False).order_by("connection_id", "starts_at", "pk")
    return list(probes.distinct("connection_id").values_list("pk", flat=True))


def end_past_meetings(meetings: QuerySet[Meeting]) -> None:
    """End, without a call, the given meetings whose appointments are over. A deletion is tried for one more day."""
    past = meetings.filter(unleased(), due_at__isnull=False, ends_at__lte=Now())
    if not past.exists():
        return
    is_live, is_synced = Q(desired_state=DesiredState.PRESENT), Q(synced_version=F("version"))
    is_stale = ~is_live & Q(ends_at__lte=Now() - _DELETE_AFTER_END)
    _end_meetings(past.filter((is_live | is_stale) & is_synced))
    _fail_meetings(past.filter(is_live & ~is_synced), NeutralMessage.ENDED)
    _end_meetings(
        past.filter(is_stale & ~is_synced),
        synced_version=F("version"),
        is_orphaned=True,
        warning=Message(NeutralMessage.NOT_DELETED),
    )


def fail_pending(connections: QuerySet[Connection]) -> None:
    """End the open work of disconnected connections. Call it in the transaction that disconnects.

    Ready meetings keep their link. A worker in the middle of a call keeps its lease and still stores its link.
    """
    meetings = Meeting.objects.filter(connection__in=connections)
    is_live = Q(desired_state=DesiredState.PRESENT)
    is_synced = Q(synced_version=F("version"))
    is_due = Q(due_at__isnull=False)
    # `recheck_at` stays: `requests.resume_comparisons` compares these meetings if the account is connected again.
    options: dict[str, Any] = {"in_batches": False, "recheck_at": F("recheck_at")}
    _end_meetings(meetings.filter(is_due & is_synced & is_live), **options)
    _end_meetings(
        meetings.filter(is_due & is_synced & ~is_live),
        **options,
        is_orphaned=True,
        warning=Message(NeutralMessage.DELETION_UNCERTAIN),
    )
    _fail_meetings(
        meetings.filter(is_due & is_live & ~is_synced, join_url=""),
        NeutralMessage.DISCONNECTED_WITHOUT_LINK,
        **options,
    )
    _fail_meetings(
        meetings.filter(is_due & is_live & ~is_synced).exclude(join_url=""),
        NeutralMessage.DISCONNECTED_WITH_LINK,
        **options,
    )
    _end_meetings(
        meetings.deleting(),
        **options,
        synced_version=F("version"),
        is_orphaned=True,
        warning=Message(NeutralMessage.DISCONNECTED_BEFORE_DELETION),
    )


def explain_waiting() -> None:
    """Store, on meetings that can't be synced at present, the reason why they wait."""
    reasons = {
        ErrorKind.CONNECTION: NeutralMessage.REAUTHORIZATION_NEEDED,
        ErrorKind.OUTAGE: NeutralMessage.NO_ANSWER,
        ErrorKind.THROTTLED: NeutralMessage.PAUSED,
    }
    for kind, is_waiting in unexplained().items():
        reason = Message(reasons[kind])
        _update_meetings(Meeting.objects.filter(is_waiting), error_kind=kind, error=reason)


def _fail_meetings(
    meetings: QuerySet[Meeting], reason: NeutralMessage, *, in_batches: bool = True, **fields: Any
) -> None:
    _end_meetings(
        meetings,
        in_batches=in_batches,
        **fields,
        error_kind=ErrorKind.ENDED,
        error=Message(reason),
        error_request_id="",
    )


def _end_meetings(meetings: QuerySet[Meeting], *, in_batches: bool = True, **fields: Any) -> None:
    _update_meetings(meetings, in_batches=in_batches, due_at=None, **{"recheck_at": None, **fields})


@transaction.atomic
def _update_meetings(meetings: QuerySet[Meeting], *, in_batches: bool = True, **fields: Any) -> None:
    ids = _lock_rows(meetings, at_most=BATCH_SIZE if in_batches else None)
    Meeting.objects.filter(pk__in=ids).update(**fields)
    for meeting_id in ids:
        send_meeting_changed(meeting_id)


def _lock_rows(meetings: QuerySet[Meeting], *, at_most: int | None) -> list[UUID]:
    """Lock up to `at_most` rows and return their ids. Rows locked by another transaction wait for the next sweep."""
    rows = meetings.select_for_update(skip_locked=True, of=("self",), no_key=True)
    return list(rows.values_list("pk", flat=True)[:at_most])
