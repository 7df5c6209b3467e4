"""Thin tasks: load, one domain call, done. All may run twice."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.conf import settings

from integrations.connections import self_test
from integrations.matching import host_permission, people, rematch_lease
from integrations.matching.rematch_worker import work_on_run
from integrations.meetings import reconciliation, reconciliation_report, sync
from integrations.meetings.sweep import sweep
from integrations.monitoring import capacity, drift

LIMIT = settings.CELERY_TASK_TIME_LIMIT


@shared_task(name="integrations.work_on_rematch_run", time_limit=LIMIT)
def work_on_rematch_run(run_id: int) -> None:
    """Go on with a rematch run."""
    work_on_run(run_id)


@shared_task(name="integrations.resume_rematch_runs", time_limit=LIMIT)
def resume_rematch_runs() -> None:
    """Nudge the rematch runs that are due."""
    rematch_lease.resume_rematch_runs()


@shared_task(name="integrations.rematch_changed_staff", time_limit=LIMIT)
def rematch_changed_staff() -> None:
    """Rematch the staff members whose user name changed, or who were assigned to a service."""
    people.rematch_changed_staff()


# As long as a few requests that are answered at the last moment take.
@shared_task(name="integrations.check_connection", time_limit=self_test.LONGEST_CHECK_SECONDS)
def check_connection(check_id: int) -> None:
    """Run a check that somebody asked for."""
    self_test.run_check(check_id)


@shared_task(name="integrations.probe_coverage", time_limit=LIMIT)
def probe_host_permission(connection_id: int) -> None:
    """Ask whether meetings may be hosted as some of a connection's people."""
    host_permission.probe_host_permission(connection_id)


@shared_task(name="integrations.sweep_coverage", time_limit=LIMIT)
def sweep_host_permission() -> None:
    """Have workers ask about the people who are due."""
    host_permission.sweep_host_permission()


@shared_task(name="integrations.sweep_drift", time_limit=LIMIT)
def sweep_drift() -> None:
    """Have workers watch the connections whose turn it is."""
    drift.sweep_drift()


@shared_task(name="integrations.count_organizers", time_limit=LIMIT)
def count_organizers() -> None:
    """Count how many meetings each organizer has this month."""
    capacity.count_organizers()


@shared_task(name="integrations.watch_drift", time_limit=LIMIT)
def watch_drift(connection_id: int) -> None:
    """Find out who of a connection would not be matched any more."""
    drift.watch_drift(connection_id)


@shared_task(name="integrations.sync_meeting", time_limit=LIMIT)
def sync_meeting(meeting_id: str) -> None:
    """Make the platform agree with one meeting."""
    sync.sync_meeting(UUID(meeting_id))


@shared_task(name="integrations.sweep_meetings", time_limit=LIMIT)
def sweep_meetings() -> None:
    """Tell workers about the meetings that are due and that nobody told them about."""
    sweep()


@shared_task(name="integrations.reconcile_everything", time_limit=LIMIT)
def reconcile_everything() -> None:
    """Begin tonight's reconciliations."""
    reconciliation.reconcile_everything()


@shared_task(name="integrations.finish_reconciliations", time_limit=LIMIT)
def finish_reconciliations() -> None:
    """Count what reconciliations came to."""
    reconciliation_report.finish_reconciliations()
