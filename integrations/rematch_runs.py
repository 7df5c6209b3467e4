"""The row of a rematch run: started once, worked on by one worker at a time, ended once.

A worker owns a run while the row holds its lease; every write is conditional on that, so that a worker that was
thought dead changes nothing when it comes back. All times are the database's.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, FilteredRelation, Q, QuerySet, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Now

from integrations.models import Connection, MatchStatus, RematchRun, RematchState, RematchTrigger
from integrations.nudges import nudge_on_commit, send
from staff.models import StaffMember

WORK_TASK = "integrations.work_on_rematch_run"
#: More changes than anybody reads are counted, not listed.
CHANGES_LISTED = 1000


class Overtaken(Exception):
    """The run belongs to another worker by now, or has ended: what was about to be written is void."""


def people_of(connection: Connection) -> QuerySet[StaffMember]:
    """Everybody who is matched on this connection: the organisation's active staff."""
    return StaffMember.objects.filter(organization=connection.organization_id, is_active=True)


def count_statuses(connection: Connection) -> dict[str, int]:
    """How many people have which status, all four named; who has no row yet counts as being checked."""
    rows = (
        people_of(connection)
        .order_by()
        .alias(answer=FilteredRelation("video_matches", condition=Q(video_matches__connection=connection.pk)))
        .values(now=Coalesce("answer__status", Value(MatchStatus.CHECKING)))
        .annotate(people=Count("pk"))
    )
    return dict.fromkeys(MatchStatus.values, 0) | {row["now"]: row["people"] for row in rows}


@transaction.atomic
def start_run(
    connection: Connection, *, trigger: RematchTrigger, started_by: StaffMember | None
) -> RematchRun:
    """Start to rematch everybody, after commit; returns the run that is under way when there is one."""
    return _running(connection) or _begin(connection, trigger, started_by)


@transaction.atomic
def restart_run(
    connection: Connection, *, trigger: RematchTrigger, started_by: StaffMember | None
) -> RematchRun:
    """Have everybody looked up from now on, after commit: a run that is under way begins again from its start.

    For when what was answered so far may be worth nothing, such as after another sign-in. A worker that is busy with
    the run writes nothing more. Who changed since the run was first started stays on its list.
    """
    running = _running(connection)
    if running is None:
        return _begin(connection, trigger, started_by)
    RematchRun.objects.filter(pk=running.pk).update(
        trigger=trigger,
        started_by=started_by,
        started_at=Now(),
        due_at=Now(),
        total=people_of(connection).count(),
        **_FROM_THE_START,
        **_UNHELD,
    )
    running.refresh_from_db()
    nudge_on_commit(WORK_TASK, running.pk)
    return running


def end_runs(connection_id: int, sentence: str) -> int:
    """End the connection's run that is under way, because of what `sentence` tells people; how many were ended.

    Call it in the transaction that makes the run pointless. A worker that is busy with it writes nothing more, and
    who was not asked for keeps the last status.
    """
    running = RematchRun.objects.filter(connection=connection_id, state=RematchState.RUNNING)
    counts = count_statuses(Connection.objects.get(pk=connection_id))
    return running.update(
        state=RematchState.FAILED, finished_at=Now(), counts_after=counts, error=sentence, **_UNHELD
    )


def _running(connection: Connection) -> RematchRun | None:
    """The run under way. The lock on the connection keeps the answer true until the end of the transaction."""
    Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    return RematchRun.objects.filter(connection=connection, state=RematchState.RUNNING).first()


def _begin(connection: Connection, trigger: RematchTrigger, started_by: StaffMember | None) -> RematchRun:
    counts = count_statuses(connection)
    run = RematchRun.objects.create(
        connection=connection,
        trigger=trigger,
        started_by=started_by,
        total=sum(counts.values()),
        counts_before=counts,
    )
    nudge_on_commit(WORK_TASK, run.pk)
    return run


def due_runs() -> QuerySet[RematchRun]:
    """Runs that somebody should work on now: due, not held, on a connection that was not asked to pause."""
    unpaused = Connection.objects.filter(Q(paused_until__isnull=True) | Q(paused_until__lte=Now()))
    return RematchRun.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lte=Now()),
        state=RematchState.RUNNING,
        due_at__lte=Now(),
        connection__in=unpaused.values("pk"),
    )


def resume_rematch_runs() -> int:
    """Nudge what is due: runs whose pause is over, whose worker died, or whose nudge was lost. Returns how many."""
    due = list(due_runs().values_list("pk", flat=True))
    for run_id in due:
        send(WORK_TASK, run_id)
    return len(due)


def make_due(connection_id: int) -> None:
    """The platform answers again: a run that waits out a failure goes on now."""
    RematchRun.objects.filter(
        connection=connection_id, state=RematchState.RUNNING, attempts__gt=0, due_at__gt=Now()
    ).update(due_at=Now())


def claim(run_id: int) -> RematchRun | None:
    """Take a due run for this worker; None when it is somebody else's, not due, or over."""
    token = uuid.uuid4()
    if not due_runs().filter(pk=run_id).update(lease_token=token, lease_until=_lease_end()):
        return None
    return RematchRun.objects.select_related("connection").filter(lease_token=token).first()


def advance(run: RematchRun, cursor: int, people: int, changes: Sequence[dict[str, object]]) -> None:
    """Note that everybody up to `cursor` is written, and renew the lease. Raises Overtaken."""
    run.cursor = cursor
    run.done += people
    run.changes = [*run.changes, *changes][:CHANGES_LISTED]
    _write(
        run,
        cursor=run.cursor,
        done=run.done,
        total=max(run.total, run.done),
        changes=run.changes,
        attempts=0,
        error="",
        lease_until=_lease_end(),
    )


def hand_over(run: RematchRun) -> None:
    """Let another task go on from the cursor, as this one has worked long enough. Raises Overtaken."""
    _write(run, due_at=Now(), **_UNHELD)
    send(WORK_TASK, run.pk)


def postpone(run: RematchRun, sentence: str, seconds: float | None = None) -> None:
    """Go on from the cursor later: after `seconds`, or after a pause that grows with every failure in a row."""
    wait = seconds if seconds is not None else growing_pause(run.attempts)
    _write(run, due_at=_in(wait), attempts=min(run.attempts + 1, 1000), error=sentence, **_UNHELD)


def fail(run: RematchRun, sentence: str) -> None:
    """End the run without having asked for everybody; who was not asked for keeps the last status."""
    _end(run, RematchState.FAILED, error=sentence)


def succeed(run: RematchRun) -> dict[str, int]:
    """End the run, everybody having been asked for; returns how many people have which status now."""
    return _end(run, RematchState.SUCCEEDED, error="", total=run.done)


def growing_pause(failures: int) -> float:
    """Seconds to wait after so many earlier failures in a row: doubling up to a limit, with jitter."""
    doubled = settings.MEETING_BACKOFF_SECONDS * 2 ** min(failures, 20)
    wait: float = min(doubled, settings.MEETING_BACKOFF_MAX_SECONDS)
    return wait * random.uniform(0.75, 1)  # noqa: S311 - spreads load, keeps no secret


_UNHELD = {"lease_token": None, "lease_until": None}
_FROM_THE_START = {"cursor": 0, "done": 0, "attempts": 0, "error": ""}


def _in(seconds: float) -> CombinedExpression:
    return Now() + timedelta(seconds=seconds)


def _lease_end() -> CombinedExpression:
    return _in(settings.REMATCH_LEASE_SECONDS)


def _end(run: RematchRun, state: RematchState, **fields: object) -> dict[str, int]:
    counts = count_statuses(run.connection)
    _write(run, state=state, finished_at=Now(), counts_after=counts, **fields, **_UNHELD)
    return counts


def _write(run: RematchRun, **fields: object) -> None:
    mine = RematchRun.objects.filter(pk=run.pk, lease_token=run.lease_token, state=RematchState.RUNNING)
    if not mine.update(**fields):
        raise Overtaken
