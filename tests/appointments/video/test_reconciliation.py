"""Repair of meetings that differ from their appointments, and its record in the timeline."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from appointments.changes.move import move_appointment
from appointments.changes.status import cancel_appointment
from appointments.models import Appointment, Status
from appointments.timeline import event_text
from coconut.database.append_only import purging
from integrations.meetings.findings import record_finding
from integrations.meetings.reconciliation import reconcile
from integrations.meetings.signals import meeting_changed
from integrations.meetings.sync import sync_meeting
from integrations.models import Connection, Finding, FindingKind, Meeting, Reconciliation
from services.models import MeetingMethod
from tests.appointments.conftest import Maple, monday
from tests.factories import make_connection, make_organization
from tests.integrations.concurrency import at_once
from tests.integrations.fake_platform import FakePlatform
from tests.messages import message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def appointment(maple_with_teams: Maple) -> Appointment:
    """Return a video appointment next year, with a link, created some time ago."""
    year = timezone.now().year + 1
    start = monday(10).replace(year=year, month=6, day=15)
    booked = maple_with_teams.book(method=MeetingMethod.VIDEO, starts_at=start, outside_hours=True)
    assert booked.meeting_id is not None
    sync_meeting(booked.meeting_id)
    Meeting.objects.update(created_at=timezone.now() - timedelta(days=1))
    return booked


def meeting_of(appointment: Appointment) -> Meeting:
    return Meeting.objects.get(appointment=appointment)


def reconcile_now() -> Reconciliation:
    return reconcile(Connection.objects.get())


def lines(appointment: Appointment) -> list[str]:
    """Return the timeline since the link was ready."""
    return [event_text(event) for event in appointment.events.all()][2:]


def test_nothing_changes_if_everything_is_in_sync(appointment: Appointment) -> None:
    run = reconcile_now()

    meeting = meeting_of(appointment)
    assert (run.repaired, meeting.version, meeting.due_at, lines(appointment)) == (0, 1, None, [])


def test_a_meeting_at_another_time_follows_the_appointment(appointment: Appointment, fake_teams: FakePlatform) -> None:
    later = appointment.starts_at + timedelta(hours=2)
    Appointment.objects.update(
        starts_at=later,
        ends_at=later + timedelta(minutes=30),
        busy_from=later,
        busy_to=later + timedelta(minutes=30),
    )

    run = reconcile_now()
    sync_meeting(meeting_of(appointment).pk)

    (remote,) = fake_teams.meetings.values()
    assert (run.repaired, remote.starts_at) == (1, later)
    assert lines(appointment) == ["Its meeting was at another time than the appointment: it is moved."]


def test_a_meeting_whose_appointment_was_cancelled_is_cancelled(
    appointment: Appointment, fake_teams: FakePlatform
) -> None:
    Appointment.objects.update(status=Status.CANCELLED)

    run = reconcile_now()
    sync_meeting(meeting_of(appointment).pk)

    assert (run.repaired, fake_teams.meetings) == (1, {})
    assert lines(appointment) == ["Its meeting had not been cancelled with the appointment: it is now."]


def test_a_meeting_whose_appointment_was_deleted_is_cancelled(
    appointment: Appointment, fake_teams: FakePlatform
) -> None:
    meeting = meeting_of(appointment)
    with purging():
        appointment.delete()

    reconcile_now()
    sync_meeting(meeting.pk)

    meeting.refresh_from_db()
    assert (meeting.state, fake_teams.meetings) == ("cancelled", {})
    assert list(Finding.objects.values_list("kind", flat=True)) == [FindingKind.UNOWNED]


def test_a_meeting_that_its_appointment_no_longer_uses_is_cancelled(
    appointment: Appointment, maple_with_teams: Maple, fake_teams: FakePlatform
) -> None:
    meeting = meeting_of(appointment)
    Appointment.objects.update(meeting=None)

    reconcile_now()

    meeting.refresh_from_db()
    assert meeting.state == "cancelling"


def test_a_past_appointment_is_not_repaired(appointment: Appointment) -> None:
    start, end = timezone.now() - timedelta(days=2), timezone.now() - timedelta(days=1)
    Meeting.objects.update(starts_at=start, ends_at=end)
    Appointment.objects.update(status=Status.CANCELLED, starts_at=start, busy_from=start, ends_at=end, busy_to=end)

    assert (reconcile_now().repaired, meeting_of(appointment).desired_state) == (0, "present")


def test_only_meetings_of_the_connection_are_checked(appointment: Appointment) -> None:
    cedar = make_connection(make_organization("Cedar Bank"), account_oid=str(uuid4()))
    Appointment.objects.update(status=Status.CANCELLED)

    assert (reconcile(cedar).repaired, meeting_of(appointment).desired_state) == (0, "present")


def test_a_concurrent_move_or_cancel_takes_precedence(appointment: Appointment, maple_with_teams: Maple) -> None:
    for hour in range(11, 15):
        to = appointment.starts_at.replace(hour=hour)
        at_once(
            reconcile_now,
            lambda: move_appointment(
                appointment,
                starts_at=to,  # noqa: B023 - awaited within the loop
                actor=maple_with_teams.sky,
                through="schedule",
                outside_hours=True,
            ),
        )
    moved = meeting_of(appointment)
    current = Appointment.objects.select_related("staff").get()
    at_once(
        reconcile_now,
        lambda: cancel_appointment(current, actor=maple_with_teams.sky, through="schedule"),
    )

    assert (moved.starts_at.hour, moved.desired_state) == (14, "present")
    assert meeting_of(appointment).desired_state == "absent"
    assert Finding.objects.count() == 0


def test_a_finding_is_recorded_in_the_timeline_once(appointment: Appointment) -> None:
    record_finding(meeting_of(appointment), FindingKind.RECREATED, {"platform": "Microsoft Teams"})

    assert lines(appointment) == [
        "The meeting no longer existed in Microsoft Teams: it was made again, with a new link."
    ]


def test_a_failed_check_of_a_link_is_not_shown_as_a_refused_change(appointment: Appointment) -> None:
    Meeting.objects.update(error_kind="person", error=message("No policy covers Sam."))
    meeting_changed.send(sender=Meeting, meeting_id=appointment.meeting_id)

    assert lines(appointment) == ["The link could not be checked on the video platform: No policy covers Sam."]
