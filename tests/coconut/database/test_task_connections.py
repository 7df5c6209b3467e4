"""A worker's database connection between two tasks."""

from __future__ import annotations

from typing import Any

import pytest
from celery import signals
from celery.fixups.django import DjangoWorkerFixup  # type: ignore[attr-defined]
from django.db import connection, connections

from coconut.celery import app

pytestmark = pytest.mark.django_db(transaction=True)


def backend() -> int:
    """Return the id of the server process of our connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid: int = cursor.fetchone()[0]
        return pid


def end_one_task_and_begin_the_next() -> None:
    task: Any = app.tasks["celery.backend_cleanup"]
    fixup = DjangoWorkerFixup(app)
    for signal, fixup_receiver in (
        (signals.task_postrun, fixup.on_task_postrun),
        (signals.task_prerun, fixup.on_task_prerun),
    ):
        fixup_receiver(task)
        signal.send(sender=task, task=task, task_id="an-id")


def test_the_next_task_uses_the_same_connection() -> None:
    first = backend()

    end_one_task_and_begin_the_next()

    assert backend() == first


def test_the_next_task_replaces_a_connection_that_the_server_ended() -> None:
    first = backend()
    other = connections["default"].copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [first])
    other.close()

    end_one_task_and_begin_the_next()

    assert backend() != first
