"""Work on a rematch run under its lease: claim the run, advance its cursor, postpone it, end it.

Every write is conditional on the lease. A worker that comes back after its lease ended changes nothing.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.db.models.functions import Now

from coconut.task_queue import send
from integrations.circuit_breaker import acquire_probe, growing_pause, probed_by
from integrations.matching.rematch_runs import WORK_TASK, count_statuses
from integrations.messages import Message
from integrations.models import Connection, MatchChange, MatchStatus, RematchRun, RematchState
from integrations.models.rematches import RematchRunQuerySet
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError

RUN_LEASE_DURATION = timedelta(seconds=120)
#: Number of latest runs of a connection whose changes are kept. Older runs keep only their counts.
RUNS_WITH_CHANGES = 5


class LeaseLost(Exception):
    """The run ended, or another worker holds it. Write nothing."""


def due_runs() -> RematchRunQuerySet:
    """Return the runs to work on now: due, not leased, on a connection whose pauses are over."""
    return _due_runs_on(Connection.objects.unpaused())


def _due_runs_on(connections: QuerySet[Connection]) -> RematchRunQuerySet:
    running = RematchRun.objects.running().unleased()
    return running.filter(due_at__lte=Now(), connection__in=connections.values("pk"))


def resume_rematch_runs() -> int:
    """Enqueue the due runs: after a pause, a dead worker or a lost task. Return their number."""
    due = list(due_runs().values_list("pk", flat=True))
    for run_id in due:
        send(WORK_TASK, run_id)
    return len(due)


def claim(run_id: int) -> RematchRun | None:
    """Claim a due run. Return None if the run isn't due, has ended, or another worker holds it."""
    token = uuid.uuid4()
    with transaction.atomic():
        claimed = _acquire_run(run_id, token)
    if not claimed:
        return None
    return RematchRun.objects.select_related("connection").filter(lease_token=token).first()


def _acquire_run(run_id: int, token: uuid.UUID) -> bool:
    """Acquire the lease of a due run. If the circuit is open, only the owner of the probe may."""
    unpaused = Connection.objects.unpaused()
    if _acquire_lease(_due_runs_on(unpaused.filter(probe_at=None)), run_id, token):
        return True
    due = due_runs().filter(pk=run_id)
    caller = caller_of(run_id)
    if not acquire_probe(Connection.objects.filter(pk__in=due.values("connection")), caller):
        return False
    if _acquire_lease(_due_runs_on(probed_by(caller)), run_id, token):
        return True
    transaction.set_rollback(True)
    return False


def _acquire_lease(due: RematchRunQuerySet, run_id: int, token: uuid.UUID) -> bool:
    return bool(
        due.filter(pk=run_id).acquire_lease(token, RUN_LEASE_DURATION, claimed_at=Now(), claimed_done=F("done"))
    )


def caller_of(run_id: int) -> str:
    """Return the run's caller name for the circuit breaker."""
    return f"run {run_id}"


def advance(run: RematchRun, cursor: int, people: int, changes: Sequence[MatchChange]) -> None:
    """Store that `people` more are done, all those up to `cursor` included, and renew the lease. Raises LeaseLost."""
    run.cursor = cursor
    run.done += people
    run.attempts = run.unusable_answers = 0
    progress = {"cursor": cursor, "done": run.done, "total": max(run.total, run.done)}
    if not _running(run).renew_lease(
        run.lease_token, RUN_LEASE_DURATION, **progress, attempts=0, unusable_answers=0, error=Message()
    ):
        raise LeaseLost
    _store_changes(run, changes)


def _store_changes(run: RematchRun, changes: Sequence[MatchChange]) -> None:
    """Store changes. If a restarted run changes a person again, the status before the first change stays."""
    for change in changes:
        change.run = run
    MatchChange.objects.bulk_create(
        changes,
        update_conflicts=True,
        unique_fields=["run", "staff"],
        update_fields=["after", "is_other_user", "is_recreated", "queried_name", "remote_user_name", "reason", "hint"],
    )


def hand_over(run: RematchRun) -> None:
    """Let another task continue from the cursor. Raises LeaseLost."""
    _release(run, due_at=Now())
    send(WORK_TASK, run.pk)


def postpone(run: RematchRun, error: PlatformError) -> None:
    """Continue from the cursor after the requested pause, or after one that grows with each failure in a row."""
    growing = growing_pause(run.attempts)
    seconds = growing if error.retry_after is None else error.retry_after
    if error.kind == ErrorKind.UNUSABLE:
        # These answers are counted, so a short Retry-After must not use up the attempts within seconds.
        seconds = max(seconds, growing)
    _release(
        run,
        due_at=Now() + timedelta(seconds=seconds),
        attempts=min(run.attempts + 1, 1000),
        unusable_answers=run.unusable_answers + 1 if error.kind == ErrorKind.UNUSABLE else 0,
        error=error.message,
    )


def fail(run: RematchRun, reason: Message) -> None:
    """End the run early. Staff behind the cursor keep their status."""
    _end(run, RematchState.FAILED, error=reason)


def succeed(run: RematchRun) -> dict[str, int]:
    """End the complete run. Return the number of people by status, as it is now or after a preview would be."""
    return _end(run, RematchState.SUCCEEDED, error=Message(), total=run.done)


def _end(run: RematchRun, state: RematchState, **fields: object) -> dict[str, int]:
    counts = _preview_counts(run) if run.is_preview else count_statuses(run.connection)
    _release(run, state=state, finished_at=Now(), counts_after=counts, **fields)
    _delete_old_changes(run)
    return counts


def _preview_counts(run: RematchRun) -> dict[str, int]:
    """Return the counts that the preview's results would lead to."""
    counts = Counter(run.counts_before)
    for before, after, people in run.changes.order_by().values_list("before", "after").annotate(Count("pk")):
        counts[before] -= people
        counts[after] += people
    return {status: max(counts[status], 0) for status in MatchStatus.values}


def _delete_old_changes(run: RematchRun) -> None:
    runs = RematchRun.objects.filter(connection=run.connection_id)
    recent = list(runs.rematches().values_list("pk", flat=True)[:RUNS_WITH_CHANGES])
    # The page of an open preview shows its changes.
    open_preview = list(runs.previews().filter(dismissed_at__isnull=True).values_list("pk", flat=True)[:1])
    kept = recent + open_preview
    MatchChange.objects.filter(run__connection=run.connection_id).exclude(run__in=kept).delete()


def _release(run: RematchRun, **fields: object) -> None:
    if not _running(run).release_lease(run.lease_token, **fields):
        raise LeaseLost


def _running(run: RematchRun) -> RematchRunQuerySet:
    return RematchRun.objects.running().filter(pk=run.pk)
