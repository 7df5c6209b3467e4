"""Celery tasks. Each may run twice."""

from __future__ import annotations

from celery import shared_task

from appointments.attention import bulk_worker
from appointments.attention.bulk_changes import WORK_TASK
from appointments.attention.daily_email import email_attention
from appointments.changes import local_times
from appointments.notifications.reminders import enqueue_reminders
from appointments.privacy.retention import erase_expired_clients
from staff.outbox import delete_sent


@shared_task(name="appointments.delete_old_data")
def delete_old_data() -> None:
    """Erase the clients whose retention period is over, and delete old emails."""
    erase_expired_clients()
    delete_sent()


@shared_task(name="appointments.check_local_times")
def check_local_times() -> None:
    """Find the appointments that an update of the time zone rules moved to another local time."""
    local_times.check_local_times()


@shared_task(name=local_times.RESTORE_TASK)
def restore_local_times() -> None:
    """Move appointments back to the local times that an admin requested."""
    local_times.restore_local_times()


@shared_task(name=WORK_TASK)
def work_on_bulk_change(pk: int) -> None:
    """Continue a bulk change of appointments."""
    bulk_worker.work_on_bulk_change(pk)


@shared_task(name="appointments.resume_bulk_changes")
def resume_bulk_changes() -> None:
    """Enqueue the bulk changes whose worker or task was lost."""
    bulk_worker.resume_bulk_changes()


@shared_task(name="appointments.email_attention")
def email_needed_attention() -> None:
    """Email the organisations in which it is morning about appointments that need attention."""
    email_attention()


@shared_task(name="appointments.enqueue_reminders")
def enqueue_due_reminders() -> None:
    """Store the emails of the reminders that became due."""
    enqueue_reminders()
