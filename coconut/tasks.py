"""Housekeeping that belongs to no app."""

from celery import shared_task
from django.core.management import call_command


@shared_task(name="coconut.clear_sessions")
def clear_sessions() -> None:
    """Delete sessions that have expired."""
    call_command("clearsessions")
