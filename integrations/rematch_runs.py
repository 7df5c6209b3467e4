"""The row of a rematch run: started once, worked on by one worker at a time, ended once.

A worker owns a run while the row holds its lease; every write is conditional on that, so that a worker that was
thought dead changes nothing when it comes back. All times are the database's.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count, FilteredRelation, Q, QuerySet
from django.db.models.functions import Coalesce

from integrations.models import Connection, MatchStatus, RematchRun, RematchState, RematchTrigger
from integrations.nudges import nudge_on_commit
from staff.models import StaffMember

WORK_TASK = "integrations.work_on_rematch_run"


def people_of(connection: Connection) -> QuerySet[StaffMember]:
    """Everybody who is matched on this connection: the organisation's active staff."""
    return StaffMember.objects.filter(organization=connection.organization_id, is_active=True)


def count_statuses(connection: Connection) -> dict[str, int]:
    """How many people have which status, all four named; who has no row yet counts as being checked."""
    rows = (
        people_of(connection)
        .order_by()
        .alias(answer=FilteredRelation("video_matches", condition=Q(video_matches__connection=connection.pk)))
        .values(now=Coalesce("answer__status", MatchStatus.CHECKING.value))
        .annotate(people=Count("pk"))
    )
    return dict.fromkeys(MatchStatus.values, 0) | {row["now"]: row["people"] for row in rows}


@transaction.atomic
def start_run(
    connection: Connection, *, trigger: RematchTrigger, started_by: StaffMember | None
) -> RematchRun:
    """Start to rematch everybody, after commit; returns the run that is under way when there is one."""
    Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    running = RematchRun.objects.filter(connection=connection, state=RematchState.RUNNING).first()
    if running is not None:
        return running
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
