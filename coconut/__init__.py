"""The project: settings, URLs, the Celery application, checks and health."""

from coconut.celery import app as celery_app

__all__ = ["celery_app"]
