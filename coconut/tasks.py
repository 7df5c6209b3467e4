"""Housekeeping that belongs to no app."""

from celery import shared_task
from django.core.management import call_command

from coconut import health


@shared_task(name="coconut.clear_sessions")
def clear_sessions() -> None:
    """Delete sessions that have expired."""
    call_command("clearsessions")


@shared_task(name="coconut.heartbeat")
def heartbeat() -> None:
    """Leave a trace that /readyz looks for."""
    health.record_heartbeat()
