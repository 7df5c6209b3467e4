"""Properties of the models."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from appointments.models import Notification, NotificationState


@pytest.mark.parametrize(
    ("state", "minutes", "expected"),
    [
        (NotificationState.SENDING, 1, False),
        (NotificationState.SENDING, 10, True),
        (NotificationState.SENT, 10, False),
        (NotificationState.FAILED, 10, False),
    ],
)
def test_an_email_is_uncertain_if_no_result_was_recorded(state: str, minutes: int, expected: bool) -> None:
    mail = Notification(state=state, claimed_at=timezone.now() - timedelta(minutes=minutes))

    assert mail.is_uncertain is expected
