"""Mails wait for links that somebody looks forward to at this moment."""

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


def test_the_rest_of_the_mails_is_for_another_task_where_somebody_waits_for_a_link(
    maple_with_teams: Maple,
) -> None:
    Connection.objects.update(last_success_at=timezone.now())
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)
    later(seconds=1)

    while_somebody_waits = send_waiting()
    Meeting.objects.update(due_at=None)
    afterwards = send_waiting()

    assert (while_somebody_waits, afterwards) == (1, 1)
    assert set(appointment.notifications.values_list("email__state", flat=True)) == {EmailState.SENT}
