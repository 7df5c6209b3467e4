"""Start, restart and end rematch runs. At most one run of a connection is under way.

Workers use `rematch_lease` and `rematch_worker`.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, FilteredRelation, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Now
from django.dispatch import receiver
from django.utils.translation import gettext as _

from coconut.leases import NO_LEASE
from coconut.task_queue import enqueue_on_commit
from integrations.circuit_breaker import connection_recovered
from integrations.messages import Message, NeutralMessage
from integrations.models import (
    Connection,
    MatchField,
    MatchStatus,
    RematchRun,
    RematchScope,
    RematchState,
    RematchTrigger,
    UserMatch,
)
from staff.models import StaffMember

WORK_TASK = "integrations.work_on_rematch_run"


class RunUnderWay(Exception):
    """Another run of the connection is under way. `str()` is for people."""

    def __init__(self) -> None:
        super().__init__(
            _("A rematch is under way already, so that no other was started. This page shows how far it is.")
        )


def people_of(connection: Connection) -> QuerySet[StaffMember]:
    """Return the staff to match on a connection: the organisation's active staff."""
    return StaffMember.objects.active_in(connection.organization_id)


def people_in(run: RematchRun) -> QuerySet[StaffMember]:
    """Return the staff that a run looks up. "Only the failed" excludes staff who are Matched now."""
    people = people_of(run.connection)
    if run.scope != RematchScope.FAILED:
        return people
    matched = UserMatch.objects.filter(connection=run.connection_id, staff=OuterRef("pk"), status=MatchStatus.MATCHED)
    is_failed = Q(~Exists(matched))
    if run.unreached_after is not None:
        is_failed |= Q(pk__gt=run.unreached_after)
    return people.filter(is_failed)


@receiver(connection_recovered)
def resume_waiting_run(connection_id: int, **kwargs: Any) -> None:
    """Make a run due that waits after a failure, because the platform answers again."""
    waiting = RematchRun.objects.running().filter(connection=connection_id, attempts__gt=0, due_at__gt=Now())
    # After an unusable answer, a success of another caller says nothing new.
    waiting.filter(unusable_answers=0).update(due_at=Now())


def count_statuses(connection: Connection) -> dict[str, int]:
    """Return the number of people for each of the four statuses. Staff without a match count as Checking."""
    rows = (
        people_of(connection)
        .order_by()
        .alias(answer=FilteredRelation("video_matches", condition=Q(video_matches__connection=connection.pk)))
        .values(now=Coalesce("answer__status", Value(MatchStatus.CHECKING)))
        .annotate(people=Count("pk"))
    )
    return dict.fromkeys(MatchStatus.values, 0) | {row["now"]: row["people"] for row in rows}


# --- Start ------------------------------------------------------------------------------------------
@transaction.atomic
def start_run(connection: Connection, *, trigger: RematchTrigger, started_by: StaffMember | None) -> RematchRun:
    """Rematch all staff, or return the run that is under way."""
    running = _lock_running_rematch(connection)
    if running is not None and running.match_field == _stored_match_field(connection):
        return running
    return restart_run(connection, trigger=trigger, started_by=started_by)


@transaction.atomic
def start_new_run(connection: Connection, *, trigger: RematchTrigger, started_by: StaffMember | None) -> RematchRun:
    """Rematch all staff. Raises RunUnderWay."""
    if _lock_running_rematch(connection) is not None:
        raise RunUnderWay
    return restart_run(connection, trigger=trigger, started_by=started_by)


@transaction.atomic
def restart_run(connection: Connection, *, trigger: RematchTrigger, started_by: StaffMember | None) -> RematchRun:
    """Rematch all staff. A run that is under way starts again and keeps its changes.

    Use it if earlier results may be invalid, such as after another sign-in. A worker on the run loses its lease.
    """
    running = _lock_running_rematch(connection)
    if running is None:
        return _create_run(connection, trigger=trigger, started_by=started_by)
    RematchRun.objects.filter(pk=running.pk).update(
        scope=RematchScope.ALL,
        match_field=_stored_match_field(connection),
        trigger=trigger,
        started_by=started_by,
        started_at=Now(),
        due_at=Now(),
        total=people_of(connection).count(),
        **_NO_PROGRESS,
        **NO_LEASE,
    )
    running.refresh_from_db()
    enqueue_on_commit(WORK_TASK, running.pk)
    return running


@transaction.atomic
def start_failed_run(run: RematchRun, *, started_by: StaffMember | None) -> RematchRun:
    """Rematch the staff who aren't Matched after `run`, or that the run did not reach. Raises RunUnderWay."""
    if _lock_running_rematch(run.connection) is not None:
        raise RunUnderWay
    reached = run.cursor if run.state == RematchState.FAILED else None
    # If `run` had the scope "only the failed", the run before it may not have reached the same people.
    if reached is not None and run.scope == RematchScope.FAILED:
        reached = None if run.unreached_after is None else max(reached, run.unreached_after)
    return _create_run(
        run.connection,
        trigger=RematchTrigger.ADMIN,
        started_by=started_by,
        scope=RematchScope.FAILED,
        unreached_after=reached,
    )


@transaction.atomic
def start_preview(connection: Connection, match_field: MatchField, *, started_by: StaffMember | None) -> RematchRun:
    """Find out what another match field would change. Raises RunUnderWay.

    Returns the running preview of the same field. Ends a running preview of another field.
    """
    Connection.objects.lock(connection.pk)
    running = RematchRun.objects.filter(connection=connection).running().first()
    if running is not None and not running.is_preview:
        raise RunUnderWay
    if running is not None and running.match_field == match_field:
        return running
    _end_previews(connection)
    return _create_run(
        connection,
        trigger=RematchTrigger.FIELD_CHANGED,
        started_by=started_by,
        scope=RematchScope.PREVIEW,
        match_field=match_field,
    )


def _stored_match_field(connection: Connection) -> str:
    # The caller's object may be stale.
    return Connection.objects.values_list("match_field", flat=True).get(pk=connection.pk)


def _lock_running_rematch(connection: Connection) -> RematchRun | None:
    """End a preview, and return the rematch under way. The lock keeps the result valid during the transaction."""
    Connection.objects.lock(connection.pk)
    _end_previews(connection)
    return RematchRun.objects.filter(connection=connection).running().first()


def _end_previews(connection: Connection) -> None:
    RematchRun.objects.filter(connection=connection).running().previews().update(
        state=RematchState.FAILED,
        finished_at=Now(),
        error=Message(NeutralMessage.PREVIEW_SUPERSEDED),
        **NO_LEASE,
    )


def _create_run(connection: Connection, **fields: object) -> RematchRun:
    run = RematchRun(connection=connection, counts_before=count_statuses(connection), **fields)
    run.match_field = run.match_field or _stored_match_field(connection)
    run.total = people_in(run).count()
    run.save()
    enqueue_on_commit(WORK_TASK, run.pk)
    return run


# --- End --------------------------------------------------------------------------------------------
def end_runs(connection_id: int, reason: Message) -> int:
    """End the run that is under way, with the reason for people. Return the number of ended runs.

    Call it in the transaction that makes the run pointless. The run's worker loses its lease.
    """
    counts = count_statuses(Connection.objects.get(pk=connection_id))
    running = RematchRun.objects.running().filter(connection=connection_id)
    return running.update(state=RematchState.FAILED, finished_at=Now(), counts_after=counts, error=reason, **NO_LEASE)


def dismiss(run: RematchRun) -> None:
    """Hide the result of an ended run. End a preview that is under way."""
    shown = RematchRun.objects.filter(pk=run.pk, dismissed_at__isnull=True)
    shown.previews().running().update(state=RematchState.FAILED, finished_at=Now(), **NO_LEASE)
    shown.exclude(state=RematchState.RUNNING).update(dismissed_at=Now())


_NO_PROGRESS = {
    "cursor": 0,
    "done": 0,
    "attempts": 0,
    "unusable_answers": 0,
    "error": Message(),
    "unreached_after": None,
}
