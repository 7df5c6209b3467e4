"""A word to the workers that cannot be said harms nobody."""

from __future__ import annotations

from typing import Any

import pytest
from celery import current_app
from django.db import transaction

from integrations import nudges

pytestmark = pytest.mark.django_db(transaction=True)


def test_even_an_error_that_nobody_thought_of_does_not_reach_the_request(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(current_app, "send_task", break_down)

    with transaction.atomic():
        nudges.nudge_on_commit("integrations.sweep_meetings")

    assert [line.levelname for line in caplog.records if line.name == "django.db.backends.base"] == ["ERROR"]
