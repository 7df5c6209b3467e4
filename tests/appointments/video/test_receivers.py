from __future__ import annotations

import pytest

from appointments.models import Appointment
from appointments.timeline import event_text
from integrations.meetings.signals import meeting_changed
from integrations.models import Meeting
from services.models import MeetingMethod
from tests.appointments.conftest import Maple
from tests.messages import message

pytestmark = pytest.mark.usefixtures("friday")


@pytest.fixture
def appointment(maple_with_teams: Maple) -> Appointment:
    return maple_with_teams.book(method=MeetingMethod.VIDEO)


def timeline_after(appointment: Appointment, **changes: object) -> list[str]:
    """Change the meeting, send its signal twice, and return the timeline since the booking."""
    Meeting.objects.filter(appointment=appointment).update(**changes)
    for _ in range(2):
        meeting_changed.send(sender=Meeting, meeting_id=appointment.meeting_id)
    return [event_text(event) for event in appointment.events.all()][1:]


def test_a_ready_link_is_recorded_once(appointment: Appointment) -> None:
    assert timeline_after(appointment, join_url="https://meet.example/1") == ["The link is ready."]


def test_a_link_that_is_ready_again_after_a_move_is_not_recorded(appointment: Appointment) -> None:
    timeline_after(appointment, join_url="https://meet.example/1", synced_version=1)

    assert timeline_after(appointment, version=2, synced_version=2) == ["The link is ready."]


def test_a_failure_is_recorded_with_its_remedy(appointment: Appointment) -> None:
    lines = timeline_after(appointment, due_at=None, error_kind="person", error=message("Give Sam a licence."))

    assert lines == ["There is no link: Give Sam a licence."]


def test_a_pending_meeting_is_not_recorded(appointment: Appointment) -> None:
    assert timeline_after(appointment) == []


def test_a_meeting_without_an_appointment_is_not_recorded(appointment: Appointment) -> None:
    Appointment.objects.update(meeting=None)

    assert timeline_after(appointment, join_url="https://meet.example/1") == []


def test_a_refused_move_is_recorded_even_if_the_link_works(appointment: Appointment) -> None:
    timeline_after(appointment, join_url="https://meet.example/1", synced_version=1)

    lines = timeline_after(appointment, version=2, due_at=None, error_kind="bug", error=message("Tell your support."))

    assert lines == [
        "The link is ready.",
        "The link works, but the last change did not reach the video platform: Tell your support.",
    ]
