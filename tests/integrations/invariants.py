"""Invariants once no work is pending: the platform has exactly the booked meetings, and no email was sent twice."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from django.core import mail

from appointments.models import Appointment, Status
from integrations.models import DesiredState, Meeting
from services.models import MeetingMethod
from tests.integrations.flaky_platform import UnreliableKeylessPlatform, UnreliablePlatform


def check_rows(is_connected: bool) -> None:
    """Check that no meeting waits, and that after a disconnect each meeting has a final state."""
    for meeting in Meeting.objects.all():
        about = f"{meeting.pk}: {meeting.state}, {meeting.error_kind} {meeting.error!s}"
        assert meeting.due_at is None, about
        if meeting.desired_state == DesiredState.ABSENT:
            assert meeting.state == "cancelled", about
        elif is_connected:
            assert (meeting.state, meeting.has_failed) == ("ready", False), about
            assert meeting.synced_version == meeting.version, about
        else:
            assert meeting.state == ("ready" if meeting.join_url else "failed"), about


def check_appointments() -> None:
    """Check that each video appointment has its own meeting at its time, and that no other meeting is live."""
    live = set(Meeting.objects.filter(desired_state=DesiredState.PRESENT).values_list("pk", flat=True))
    video = Appointment.objects.filter(method=MeetingMethod.VIDEO).exclude(status=Status.CANCELLED)
    for appointment in video.select_related("meeting"):
        meeting = appointment.meeting
        assert meeting is not None
        assert (meeting.starts_at, meeting.ends_at) == (appointment.starts_at, appointment.ends_at)
        assert meeting.host_id == appointment.staff_id
    assert {each.meeting_id for each in video} == live


def check_remote_meetings(platform: UnreliablePlatform | UnreliableKeylessPlatform, is_connected: bool) -> None:
    """Check that the platform has each live meeting once, as desired, and no other without a warning."""
    remote = platform.remote_meetings()
    assert sum(len(meetings) for meetings in remote.values()) == len(remote) == len(platform.meetings)
    for meeting in Meeting.objects.all():
        [found] = remote.pop(str(meeting.pk), [None])
        if meeting.desired_state == DesiredState.ABSENT:
            assert found is None or meeting.is_orphaned
        elif is_connected:
            assert found is not None, f"{meeting.pk} is not there"
            assert (found.remote_id, found.join_url) == (meeting.remote_id, meeting.join_url)
            assert (found.subject, found.starts_at, found.ends_at) == (
                meeting.subject,
                meeting.starts_at,
                meeting.ends_at,
            )
            assert found.attendee_ids == {each["remote_id"] for each in meeting.attendees}
    assert remote == {}


def check_emails() -> None:
    """Check that each reader got at most one email per change."""
    sent = Counter((message.to[0], *_calendar_keys(message)) for message in mail.outbox)
    assert [key for key, times in sent.items() if times > 1] == []


def _calendar_keys(message: Any) -> list[str]:
    """Return UID and SEQUENCE of the calendar entry: the appointment and the change that the email is about."""
    entry = next(str(part[1]) for part in message.attachments if part[0] == "appointment.ics")
    return re.findall(r"(?m)^(?:UID|SEQUENCE):.*$", entry.replace("\r\n ", ""))
