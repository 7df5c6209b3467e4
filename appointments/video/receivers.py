"""News from the floors below that belongs in an appointment's timeline."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.dispatch import receiver
from django.utils.translation import gettext as _

from appointments.models import Appointment, AppointmentEvent
from integrations.meetings.findings import meeting_repaired
from integrations.meetings.signals import meeting_changed
from integrations.models import Finding, Meeting, MeetingState


@receiver(meeting_changed, dispatch_uid="note_meeting")
def note_meeting(sender: type[Meeting], meeting_id: UUID, **kwargs: Any) -> None:
    """Note, once, that the link is ready, and once for each version that the platform did not take over."""
    appointment = Appointment.objects.select_related("meeting").filter(meeting=meeting_id).first()
    if appointment is None or appointment.meeting is None:
        return
    meeting = appointment.meeting
    if meeting.state == MeetingState.READY:
        _note_once(appointment, f"ready {meeting.pk}", _("The link is ready."))
    if meeting.has_failed:
        _note_once(
            appointment, f"failed {meeting.pk} {meeting.version} {meeting.error_kind}", _failure(meeting)
        )


@receiver(meeting_repaired, dispatch_uid="note_repaired_meeting")
def note_repaired_meeting(sender: type[Meeting], meeting_id: UUID, finding: Finding, **kwargs: Any) -> None:
    """Note what was found not to agree, and what was done about it."""
    appointment = Appointment.objects.filter(meeting=meeting_id).first()
    if appointment is not None:
        _note_once(appointment, f"found {finding.pk}", finding.sentence)


def _failure(meeting: Meeting) -> str:
    reason = {"reason": meeting.error_sentence}
    if meeting.state == MeetingState.READY and meeting.synced_version == meeting.version:
        return _("The link could not be looked at on the video platform: %(reason)s") % reason
    if meeting.state == MeetingState.READY:
        return _("The link works, but the last change did not reach the video platform: %(reason)s") % reason
    return _("There is no link: %(reason)s") % reason


def _note_once(appointment: Appointment, once: str, text: str) -> None:
    # The constraint decides: the same news may arrive twice, from two workers, at the same moment.
    AppointmentEvent.objects.bulk_create(
        [AppointmentEvent(appointment=appointment, once=once, text=text[:500])], ignore_conflicts=True
    )
