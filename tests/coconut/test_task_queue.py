"""Sending tasks after commit."""

from __future__ import annotations

from typing import Any

import pytest
from celery import current_app
from django.db import transaction

from coconut import task_queue

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_unexpected_error_does_not_reach_the_request(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(current_app, "send_task", break_down)

    with transaction.atomic():
        task_queue.enqueue_on_commit("integrations.sweep_meetings")

    assert [line.levelname for line in caplog.records if line.name == "django.db.backends.base"] == ["ERROR"]


def test_a_burst_sends_one_task_and_the_next_burst_another(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, sent = [100.0], []
    monkeypatch.setattr(task_queue, "monotonic", lambda: clock[0])
    monkeypatch.setattr(task_queue, "_last_sent", {})
    monkeypatch.setattr(task_queue, "send", lambda task: sent.append((clock[0], task)))

    for now in (100.0, 100.1, 100.24, 100.25, 100.3):
        clock[0] = now
        with transaction.atomic():
            task_queue.enqueue_once_on_commit("appointments.send_waiting_notifications")

    assert sent == [
        (100.0, "appointments.send_waiting_notifications"),
        (100.25, "appointments.send_waiting_notifications"),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_batch_of_transactions_sends_the_task_once_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(task_queue, "send", sent.append)

    with task_queue.batch_enqueue():
        for _ in range(3):
            with transaction.atomic():
                task_queue.enqueue_once_on_commit("appointments.send_waiting_notifications")
        before = list(sent)

    assert (before, sent) == ([], ["appointments.send_waiting_notifications"])
