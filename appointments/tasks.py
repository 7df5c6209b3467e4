"""Celery tasks. Each may run twice."""

from __future__ import annotations

from celery import shared_task

from appointments.privacy.retention import erase_expired_clients
from staff.outbox import delete_sent


@shared_task(name="appointments.delete_old_data")
def delete_old_data() -> None:
    """Erase the clients whose retention period is over, and delete old emails."""
    erase_expired_clients()
    delete_sent()
