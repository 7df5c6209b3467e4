"""Tasks of the project itself."""

from celery import shared_task
from django.core.management import call_command

from coconut.observability import health
from staff.sessions.models import StaffSession


@shared_task(name="coconut.clear_sessions")
def clear_sessions() -> None:
    """Delete expired sessions."""
    call_command("clearsessions")
    StaffSession.objects.expired().delete()


@shared_task(name="coconut.heartbeat")
def heartbeat() -> None:
    """Record a heartbeat for /readyz."""
    health.record_worker_heartbeat()
