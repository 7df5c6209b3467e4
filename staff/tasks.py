"""Celery tasks for the email outbox and for sessions."""

from celery import shared_task
from django.core.management import call_command

from staff.leavers import switch_off_leavers
from staff.outbox import SEND_TASK, send_waiting
from staff.sessions.models import StaffSession


@shared_task(name=SEND_TASK)
def send_waiting_emails() -> None:
    """Send the waiting emails: every 15 s, and right after a change that sends one."""
    send_waiting()


@shared_task(name="staff.end_access_of_leavers")
def end_access_of_leavers() -> None:
    """Switch off the people whose last working day is over."""
    switch_off_leavers()


# Earlier versions use this name, too. Their messages may wait in the queue.
@shared_task(name="coconut.clear_sessions")
def clear_sessions() -> None:
    """Delete expired sessions."""
    call_command("clearsessions")
    StaffSession.objects.expired().delete()
