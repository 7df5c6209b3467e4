"""Tasks of the project itself."""

from celery import shared_task

from coconut.observability import health


@shared_task(name="coconut.heartbeat")
def heartbeat() -> None:
    """Record a heartbeat for /readyz."""
    health.record_worker_heartbeat()
