"""Celery tasks for appointments."""

from celery import shared_task

from appointments.notifications.outbox import send_waiting


@shared_task(name="appointments.send_waiting_notifications")
def send_waiting_notifications() -> None:
    """Send the emails that wait in the outbox: every 15 s, and right after a booking."""
    send_waiting()
