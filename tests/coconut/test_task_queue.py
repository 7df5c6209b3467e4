"""A word to the workers that cannot be said harms nobody."""

from __future__ import annotations

from typing import Any

import pytest
from celery import current_app
from django.db import transaction

from coconut import task_queue

pytestmark = pytest.mark.django_db(transaction=True)


def test_even_an_error_that_nobody_thought_of_does_not_reach_the_request(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(current_app, "send_task", break_down)

    with transaction.atomic():
        task_queue.enqueue_on_commit("integrations.sweep_meetings")

    assert [line.levelname for line in caplog.records if line.name == "django.db.backends.base"] == ["ERROR"]


def test_in_a_burst_one_word_is_enough_and_after_it_another_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = [100.0], []
    monkeypatch.setattr(task_queue, "monotonic", lambda: clock[0])
    monkeypatch.setattr(task_queue, "_said", {})
    monkeypatch.setattr(task_queue, "send", lambda task: said.append((clock[0], task)))

    for moment in (100.0, 100.1, 100.24, 100.25, 100.3):
        clock[0] = moment
        with transaction.atomic():
            task_queue.enqueue_once_on_commit("appointments.send_waiting_notifications")

    assert said == [
        (100.0, "appointments.send_waiting_notifications"),
        (100.25, "appointments.send_waiting_notifications"),
    ]


@pytest.mark.django_db(transaction=True)
def test_many_transactions_on_end_say_a_word_once_after_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(task_queue, "send", said.append)

    with task_queue.gathered():
        for _ in range(3):
            with transaction.atomic():
                task_queue.enqueue_once_on_commit("appointments.send_waiting_notifications")
        before = list(said)

    assert (before, said) == ([], ["appointments.send_waiting_notifications"])
