"""Sending emails gives way to meetings that are due."""

from __future__ import annotations

import pytest
from django.utils import timezone

from integrations.models import Connection, Meeting
from services.models import MeetingMethod
from staff.models import EmailState
from staff.outbox import send_waiting
from tests.appointments.conftest import Maple
from tests.integrations.meeting_steps import later

pytestmark = pytest.mark.usefixtures("friday")


def test_the_remaining_emails_are_left_to_another_task_while_a_link_is_due(
    maple_with_teams: Maple,
) -> None:
    Connection.objects.update(last_success_at=timezone.now())
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)
    later(seconds=1)

    while_a_link_is_due = send_waiting()
    Meeting.objects.update(due_at=None)
    afterwards = send_waiting()

    assert (while_a_link_is_due, afterwards) == (1, 1)
    assert set(appointment.notifications.values_list("email__state", flat=True)) == {EmailState.SENT}
