"""Beat's schedule and the time limits of its tasks."""

from __future__ import annotations

from datetime import timedelta

from celery import current_app
from django.conf import settings

from coconut.leases import LEASE_DURATION
from integrations.matching.rematch_lease import RUN_LEASE_DURATION


def test_every_scheduled_task_is_registered_with_the_workers() -> None:
    current_app.loader.import_default_modules()
    named = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert named - set(current_app.tasks) == set()


def test_a_task_ends_before_its_leases_do() -> None:
    assert timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT) < min(LEASE_DURATION, RUN_LEASE_DURATION)
