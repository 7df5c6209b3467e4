"""Signals of the meetings that an appointment's timeline records."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.dispatch import receiver

from appointments.models import Appointment, AppointmentEventKind
from appointments.timeline import Fact, record_event_once
from integrations.meetings.findings import meeting_repaired
from integrations.meetings.signals import meeting_changed
from integrations.models import Finding, Meeting, MeetingState


@receiver(meeting_changed, dispatch_uid="record_meeting_change")
def record_meeting_change(sender: type[Meeting], meeting_id: UUID, **kwargs: Any) -> None:
    """Record once that the link is ready, and each version of the meeting that the platform did not accept."""
    appointment = Appointment.objects.select_related("meeting").filter(meeting=meeting_id).first()
    if appointment is None or appointment.meeting is None:
        return
    meeting = appointment.meeting
    if meeting.state == MeetingState.READY:
        record_event_once(appointment, f"ready {meeting.pk}", Fact(AppointmentEventKind.LINK_READY))
    if meeting.has_failed:
        once = f"failed {meeting.pk} {meeting.version} {meeting.error_kind}"
        record_event_once(appointment, once, _failure(meeting))


@receiver(meeting_repaired, dispatch_uid="record_meeting_repair")
def record_meeting_repair(sender: type[Meeting], meeting_id: UUID, finding: Finding, **kwargs: Any) -> None:
    """Record how a meeting that was out of sync was repaired."""
    appointment = Appointment.objects.filter(meeting=meeting_id).first()
    if appointment is not None:
        fact = Fact(AppointmentEventKind.MEETING_REPAIRED, {"finding": finding.message.as_json()})
        record_event_once(appointment, f"found {finding.pk}", fact)


def _failure(meeting: Meeting) -> Fact:
    reason = {"reason": meeting.error.as_json()}
    if meeting.state != MeetingState.READY:
        return Fact(AppointmentEventKind.LINK_FAILED, reason)
    if meeting.synced_version == meeting.version:
        return Fact(AppointmentEventKind.LINK_CHECK_FAILED, reason)
    return Fact(AppointmentEventKind.LINK_CHANGE_FAILED, reason)
