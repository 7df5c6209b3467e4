"""What beat is told to send exists."""

from __future__ import annotations

from celery import current_app
from django.conf import settings


def test_every_entry_of_the_schedule_names_a_task_that_workers_know() -> None:
    current_app.loader.import_default_modules()
    named = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert named - set(current_app.tasks) == set()
