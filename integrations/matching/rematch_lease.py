"""What a worker does with a rematch run: claims it, moves its cursor, lets it wait, ends it.

A worker owns a run while the row holds its lease; every write is conditional on that, so that a worker that was
thought dead changes nothing when it comes back. All times are the database's.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from coconut.leases import NO_LEASE
from coconut.task_queue import send
from integrations.circuit_breaker import acquire_probe, growing_pause, probed_by
from integrations.matching.rematch_runs import WORK_TASK, count_statuses
from integrations.messages import Message
from integrations.models import Connection, MatchChange, MatchStatus, RematchRun, RematchState

RUN_LEASE_DURATION = timedelta(seconds=120)
#: Of so many runs of a connection it is kept who changed; of earlier ones the counts are.
RUNS_WITH_CHANGES = 5


class LeaseLost(Exception):
    """The run belongs to another worker by now, or has ended: what was about to be written is void."""


def due_runs() -> QuerySet[RematchRun]:
    """Runs that somebody should work on now: due, not held, on a connection whose pauses are over."""
    return _due_on(Connection.objects.unpaused())


def _due_on(connections: QuerySet[Connection]) -> QuerySet[RematchRun]:
    return RematchRun.objects.running().filter(
        Q(lease_until__isnull=True) | Q(lease_until__lte=Now()),
        due_at__lte=Now(),
        connection__in=connections.values("pk"),
    )


def resume_rematch_runs() -> int:
    """Nudge what is due: runs whose pause is over, whose worker died, or whose nudge was lost. Returns how many."""
    due = list(due_runs().values_list("pk", flat=True))
    for run_id in due:
        send(WORK_TASK, run_id)
    return len(due)


def claim(run_id: int) -> RematchRun | None:
    """Take a due run for this worker; None when it is somebody else's, not due, or over."""
    token = uuid.uuid4()
    with transaction.atomic():
        claimed = _take(run_id, token)
    if not claimed:
        return None
    return RematchRun.objects.select_related("connection").filter(lease_token=token).first()


def _take(run_id: int, token: uuid.UUID) -> bool:
    """Hold it, if it is due. While the platform is thought to be down only the one who probes it may."""
    unpaused = Connection.objects.unpaused()
    if _hold(_due_on(unpaused.filter(probe_at=None)), run_id, token):
        return True
    due = due_runs().filter(pk=run_id)
    caller = caller_of(run_id)
    if not acquire_probe(Connection.objects.filter(pk__in=due.values("connection")), caller):
        return False
    if _hold(_due_on(probed_by(caller)), run_id, token):
        return True
    transaction.set_rollback(True)
    return False


def _hold(due: QuerySet[RematchRun], run_id: int, token: uuid.UUID) -> bool:
    held = due.filter(pk=run_id).update(
        lease_token=token, lease_until=_lease_end(), claimed_at=Now(), claimed_done=F("done")
    )
    return bool(held)


def caller_of(run_id: int) -> str:
    """Who calls the platform, for the circuit."""
    return f"run {run_id}"


def advance(run: RematchRun, cursor: int, people: int, changes: Sequence[MatchChange]) -> None:
    """Note that everybody up to `cursor` is written, and renew the lease. Raises LeaseLost."""
    run.cursor = cursor
    run.done += people
    _write(
        run,
        cursor=run.cursor,
        done=run.done,
        total=max(run.total, run.done),
        attempts=0,
        error=Message(),
        lease_until=_lease_end(),
    )
    _note_changes(run, changes)


def _note_changes(run: RematchRun, changes: Sequence[MatchChange]) -> None:
    """Of who changed twice, because the run began again, the first status and the last one are kept."""
    for change in changes:
        change.run = run
    MatchChange.objects.bulk_create(
        changes,
        update_conflicts=True,
        unique_fields=["run", "staff"],
        update_fields=["after", "is_other_user", "queried_name", "remote_user_name", "reason", "hint"],
    )


def hand_over(run: RematchRun) -> None:
    """Let another task go on from the cursor, as this one has worked long enough. Raises LeaseLost."""
    _write(run, due_at=Now(), **NO_LEASE)
    send(WORK_TASK, run.pk)


def postpone(run: RematchRun, reason: Message, seconds: float | None = None) -> None:
    """Go on from the cursor later: after `seconds`, or after a pause that grows with every failure in a row."""
    wait = seconds if seconds is not None else growing_pause(run.attempts)
    _write(run, due_at=_in(wait), attempts=min(run.attempts + 1, 1000), error=reason, **NO_LEASE)


def fail(run: RematchRun, reason: Message) -> None:
    """End the run without having asked for everybody; who was not asked for keeps the last status."""
    _end(run, RematchState.FAILED, error=reason)


def succeed(run: RematchRun) -> dict[str, int]:
    """End the run, everybody having been asked for; returns how many people have which status now, or would have."""
    return _end(run, RematchState.SUCCEEDED, error=Message(), total=run.done)


def _in(seconds: float) -> CombinedExpression:
    return Now() + timedelta(seconds=seconds)


def _lease_end() -> CombinedExpression:
    return Now() + RUN_LEASE_DURATION


def _end(run: RematchRun, state: RematchState, **fields: object) -> dict[str, int]:
    counts = _counts_in_prospect(run) if run.is_preview else count_statuses(run.connection)
    _write(run, state=state, finished_at=Now(), counts_after=counts, **fields, **NO_LEASE)
    _forget_old_changes(run)
    return counts


def _counts_in_prospect(run: RematchRun) -> dict[str, int]:
    """The counts as they would be if what the preview learnt were kept."""
    counts = Counter(run.counts_before)
    for before, after, people in run.changes.order_by().values_list("before", "after").annotate(Count("pk")):
        counts[before] -= people
        counts[after] += people
    return {status: max(counts[status], 0) for status in MatchStatus.values}


def _forget_old_changes(run: RematchRun) -> None:
    runs = RematchRun.objects.filter(connection=run.connection_id)
    recent = list(runs.rematches().values_list("pk", flat=True)[:RUNS_WITH_CHANGES])
    # A preview that may still be used tells by its changes what it would change.
    shown = list(runs.previews().filter(dismissed_at__isnull=True).values_list("pk", flat=True)[:1])
    MatchChange.objects.filter(run__connection=run.connection_id).exclude(run__in=recent + shown).delete()


def _write(run: RematchRun, **fields: object) -> None:
    mine = RematchRun.objects.running().filter(pk=run.pk, lease_token=run.lease_token)
    if not mine.update(**fields):
        raise LeaseLost
