"""Rematch runs: whom they ask for, how they are started and begun again, and how somebody ends them.

At most one is under way for a connection. What a worker does with it is in `rematch_lease` and `rematch_worker`.
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
    """Something else is being looked up for this connection; `str()` is the sentence for people."""

    def __init__(self) -> None:
        super().__init__(
            _("A rematch is under way already, so that no other was started. This page shows how far it is.")
        )


def people_of(connection: Connection) -> QuerySet[StaffMember]:
    """Everybody who is matched on this connection: the organisation's active staff."""
    return StaffMember.objects.active_in(connection.organization_id)


def people_in(run: RematchRun) -> QuerySet[StaffMember]:
    """Whom a run asks for. Of "only the failed", whoever it made Matched is not among them any more."""
    people = people_of(run.connection)
    if run.scope != RematchScope.FAILED:
        return people
    matched = UserMatch.objects.filter(
        connection=run.connection_id, staff=OuterRef("pk"), status=MatchStatus.MATCHED
    )
    is_failed = Q(~Exists(matched))
    if run.unreached_after is not None:
        is_failed |= Q(pk__gt=run.unreached_after)
    return people.filter(is_failed)


@receiver(connection_recovered)
def resume_waiting_run(connection_id: int, **kwargs: Any) -> None:
    """Make a run due that waits after a failure: the platform answers again."""
    RematchRun.objects.running().filter(connection=connection_id, attempts__gt=0, due_at__gt=Now()).update(
        due_at=Now()
    )


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


# --- Started, and begun again -----------------------------------------------------------------------
@transaction.atomic
def start_run(
    connection: Connection, *, trigger: RematchTrigger, started_by: StaffMember | None
) -> RematchRun:
    """Start to rematch everybody, after commit; returns the run that is under way when there is one."""
    running = _running(connection)
    if running is not None and running.match_field == _present_field(connection):
        return running
    return restart_run(connection, trigger=trigger, started_by=started_by)


@transaction.atomic
def start_new_run(
    connection: Connection, *, trigger: RematchTrigger, started_by: StaffMember | None
) -> RematchRun:
    """The same for somebody who wants to be told: raises RunUnderWay when there is a run already."""
    if _running(connection) is not None:
        raise RunUnderWay
    return restart_run(connection, trigger=trigger, started_by=started_by)


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
        return _begin(connection, trigger=trigger, started_by=started_by)
    RematchRun.objects.filter(pk=running.pk).update(
        scope=RematchScope.ALL,
        match_field=_present_field(connection),
        trigger=trigger,
        started_by=started_by,
        started_at=Now(),
        due_at=Now(),
        total=people_of(connection).count(),
        **_FROM_THE_START,
        **NO_LEASE,
    )
    running.refresh_from_db()
    enqueue_on_commit(WORK_TASK, running.pk)
    return running


@transaction.atomic
def start_failed_run(run: RematchRun, *, started_by: StaffMember | None) -> RematchRun:
    """Start to rematch whoever is not Matched after `run`, and whom it did not reach. Raises RunUnderWay."""
    if _running(run.connection) is not None:
        raise RunUnderWay
    reached = run.cursor if run.state == RematchState.FAILED else None
    # Where that was "only the failed" itself, whom the run before it had not reached counts as well.
    if reached is not None and run.scope == RematchScope.FAILED:
        reached = None if run.unreached_after is None else max(reached, run.unreached_after)
    return _begin(
        run.connection,
        trigger=RematchTrigger.ADMIN,
        started_by=started_by,
        scope=RematchScope.FAILED,
        unreached_after=reached,
    )


@transaction.atomic
def start_preview(
    connection: Connection, match_field: MatchField, *, started_by: StaffMember | None
) -> RematchRun:
    """Start to look up what another field would change, after commit. Raises RunUnderWay.

    A preview of the same field that is under way goes on; one of another field gives way.
    """
    _lock(connection)
    running = RematchRun.objects.filter(connection=connection).running().first()
    if running is not None and not running.is_preview:
        raise RunUnderWay
    if running is not None and running.match_field == match_field:
        return running
    _end_previews(connection)
    return _begin(
        connection,
        trigger=RematchTrigger.FIELD_CHANGED,
        started_by=started_by,
        scope=RematchScope.PREVIEW,
        match_field=match_field,
    )


def _lock(connection: Connection) -> None:
    Connection.objects.lock(connection.pk)


def _present_field(connection: Connection) -> str:
    """The field as it is now, whatever the caller's object holds."""
    return Connection.objects.values_list("match_field", flat=True).get(pk=connection.pk)


def _running(connection: Connection) -> RematchRun | None:
    """The rematch under way, for which a preview gives way.

    The lock on the connection keeps the answer true until the end of the transaction.
    """
    _lock(connection)
    _end_previews(connection)
    return RematchRun.objects.filter(connection=connection).running().first()


def _end_previews(connection: Connection) -> None:
    RematchRun.objects.filter(connection=connection).running().previews().update(
        state=RematchState.FAILED,
        finished_at=Now(),
        error=Message(NeutralMessage.PREVIEW_SUPERSEDED),
        **NO_LEASE,
    )


def _begin(connection: Connection, **fields: object) -> RematchRun:
    run = RematchRun(connection=connection, counts_before=count_statuses(connection), **fields)
    run.match_field = run.match_field or _present_field(connection)
    run.total = people_in(run).count()
    run.save()
    enqueue_on_commit(WORK_TASK, run.pk)
    return run


# --- Ended ------------------------------------------------------------------------------------------
def end_runs(connection_id: int, reason: Message) -> int:
    """End the connection's run that is under way, with the reason that people see; how many were ended.

    Call it in the transaction that makes the run pointless. A worker that is busy with it writes nothing more, and
    who was not asked for keeps the last status.
    """
    counts = count_statuses(Connection.objects.get(pk=connection_id))
    running = RematchRun.objects.running().filter(connection=connection_id)
    return running.update(
        state=RematchState.FAILED, finished_at=Now(), counts_after=counts, error=reason, **NO_LEASE
    )


def dismiss(run: RematchRun) -> None:
    """The result was read, or the preview is not wanted: it is shown no more. A preview under way ends."""
    unwanted = RematchRun.objects.filter(pk=run.pk, dismissed_at__isnull=True)
    unwanted.previews().running().update(state=RematchState.FAILED, finished_at=Now(), **NO_LEASE)
    unwanted.exclude(state=RematchState.RUNNING).update(dismissed_at=Now())


_FROM_THE_START = {"cursor": 0, "done": 0, "attempts": 0, "error": Message(), "unreached_after": None}
