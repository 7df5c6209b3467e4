"""Celery tasks for the email outbox."""

from celery import shared_task

from staff.outbox import SEND_TASK, send_waiting


@shared_task(name=SEND_TASK)
def send_waiting_emails() -> None:
    """Send the waiting emails: every 15 s, and right after a change that sends one."""
    send_waiting()
