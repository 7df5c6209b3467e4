"""Celery tasks. Each makes one domain call and may run twice."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.conf import settings

from integrations.connections import self_test
from integrations.matching import host_permission, people, rematch_lease
from integrations.matching.rematch_worker import work_on_run
from integrations.meetings import organizers, reconciliation, reconciliation_report, sync
from integrations.meetings.sweep import sweep
from integrations.monitoring import capacity, drift

LIMIT = settings.CELERY_TASK_TIME_LIMIT


@shared_task(name="integrations.work_on_rematch_run", time_limit=LIMIT)
def work_on_rematch_run(run_id: int) -> None:
    """Continue a rematch run from its cursor."""
    work_on_run(run_id)


@shared_task(name="integrations.resume_rematch_runs", time_limit=LIMIT)
def resume_rematch_runs() -> None:
    """Enqueue the rematch runs that are due."""
    rematch_lease.resume_rematch_runs()


@shared_task(name="integrations.rematch_changed_staff", time_limit=LIMIT)
def rematch_changed_staff() -> None:
    """Rematch the staff members whose user name changed, or who were assigned to a service."""
    people.rematch_changed_staff()


# A check makes several requests, each of which may take until its timeout.
@shared_task(name="integrations.check_connection", time_limit=self_test.LONGEST_CHECK_SECONDS)
def check_connection(check_id: int) -> None:
    """Run a check that an admin requested."""
    self_test.run_check(check_id)


@shared_task(name="integrations.probe_coverage", time_limit=LIMIT)
def probe_host_permission(connection_id: int) -> None:
    """Probe the host permission of some staff on a connection."""
    host_permission.probe_host_permission(connection_id)


@shared_task(name="integrations.sweep_coverage", time_limit=LIMIT)
def sweep_host_permission() -> None:
    """Enqueue the host permission probes that are due."""
    host_permission.sweep_host_permission()


@shared_task(name="integrations.sweep_drift", time_limit=LIMIT)
def sweep_drift() -> None:
    """Enqueue the drift checks that are due."""
    drift.sweep_drift()


@shared_task(name="integrations.count_organizers", time_limit=LIMIT)
def count_organizers() -> None:
    """Count each organizer's meetings of this month."""
    capacity.count_organizers()


@shared_task(name="integrations.watch_drift", time_limit=LIMIT)
def watch_drift(connection_id: int) -> None:
    """Find the staff of a connection whose match would change."""
    drift.watch_drift(connection_id)


@shared_task(name="integrations.sync_meeting", time_limit=LIMIT)
def sync_meeting(meeting_id: str) -> None:
    """Sync one meeting with the platform."""
    sync.sync_meeting(UUID(meeting_id))


@shared_task(name="integrations.follow_organizers", time_limit=LIMIT)
def follow_organizers(connection_id: int) -> None:
    """Bring a connection's meetings up to date with the identity of their hosts."""
    organizers.follow_organizers(connection_id)


@shared_task(name="integrations.sweep_meetings", time_limit=LIMIT)
def sweep_meetings() -> None:
    """Enqueue the meetings that are due and were not enqueued recently."""
    sweep()


@shared_task(name="integrations.reconcile_everything", time_limit=LIMIT)
def reconcile_everything() -> None:
    """Start the nightly reconciliation of all healthy connections."""
    reconciliation.reconcile_everything()


@shared_task(name="integrations.finish_reconciliations", time_limit=LIMIT)
def finish_reconciliations() -> None:
    """Finish the reconciliations that have no pending meetings."""
    reconciliation_report.finish_reconciliations()
