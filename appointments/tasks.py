"""What the worker does for appointments."""

from celery import shared_task

from appointments.notifications.outbox import send_waiting


@shared_task(name="appointments.send_waiting_notifications")
def send_waiting_notifications() -> None:
    """Send the mails that wait in the outbox; beat asks every 15 s, a booking at once."""
    send_waiting()
