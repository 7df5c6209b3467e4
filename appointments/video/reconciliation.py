"""Appointments as owners of meetings: their pages, and repair of meetings that differ from their appointment.

Every change of an appointment changes its meeting in the same transaction. The repair finds rows that were changed in
another way, by hand or by a fault. Nothing here calls a platform.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext as _

from appointments.booking_rules.errors import BookingError
from appointments.booking_rules.locks import lock_appointment, lock_staff
from appointments.models import Appointment, AppointmentEventKind, AppointmentQuerySet, Status
from appointments.timeline import Fact, record_event
from appointments.video.meeting import follow_organizer
from coconut.isolation import isolated
from integrations.hooks import MeetingPage
from integrations.meetings.findings import record_finding
from integrations.meetings.requests import request_cancel, request_move
from integrations.meetings.signals import batch_enqueue
from integrations.models import Connection, DesiredState, FindingKind, Meeting
from services.models import MeetingMethod

_NEEDS_NO_MEETING = Q(status=Status.CANCELLED) | ~Q(method=MeetingMethod.VIDEO) | ~Q(personal_meeting_url="")
_AT_THE_SAME_TIME = Q(starts_at=F("meeting__starts_at"), ends_at=F("meeting__ends_at"))


class AppointmentMeetings:
    """The meeting owner for appointments; see `integrations.hooks.MeetingOwner`."""

    def owned(self, meeting_ids: Collection[UUID]) -> Collection[UUID]:
        meetings = Appointment.objects.filter(meeting__in=meeting_ids).values_list("meeting", flat=True)
        return {meeting_id for meeting_id in meetings if meeting_id is not None}

    def repair(self, connection: Connection) -> int:
        wrong = _with_meeting(connection).filter(_NEEDS_NO_MEETING | ~_AT_THE_SAME_TIME)
        return sum(_repair_meeting(pk) for pk in wrong.values_list("pk", flat=True))

    def follow_organizers(self, meeting_ids: Collection[UUID]) -> int:
        # A client who has arrived may be about to use the link.
        waiting = Appointment.objects.filter(meeting__in=meeting_ids, status=Status.CONFIRMED)
        replaced = 0
        with batch_enqueue():
            for appointment in waiting.select_related("staff", "organization").order_by("starts_at", "pk"):
                with isolated(f"The organizer of appointment {appointment.pk}"), suppress(BookingError):
                    replaced += _follow_organizer(appointment)
        return replaced


def appointment_pages(meeting_ids: Collection[UUID]) -> dict[UUID, MeetingPage]:
    """Return the page of the appointment of each meeting; a replaced meeting has none."""
    found = Appointment.objects.filter(meeting__in=meeting_ids).select_related("service", "client")
    return {each.meeting_id: _appointment_page(each) for each in found if each.meeting_id is not None}


def _appointment_page(appointment: Appointment) -> MeetingPage:
    names = {"service": appointment.service.name, "client": appointment.client}
    return MeetingPage(reverse("appointment", args=[appointment.pk]), _("%(service)s for %(client)s") % names)


def _with_meeting(connection: Connection) -> AppointmentQuerySet:
    """Return the appointments with a live meeting on this connection, if one of the two has not ended."""
    return Appointment.objects.filter(
        Q(ends_at__gt=Now()) | Q(meeting__ends_at__gt=Now()),
        meeting__connection=connection,
        meeting__desired_state=DesiredState.PRESENT,
    ).order_by("pk")


@transaction.atomic
def _follow_organizer(appointment: Appointment) -> bool:
    """Check again under the locks, and replace the meeting. Clients and staff keep their own links."""
    lock_staff(appointment.staff)
    current = lock_appointment(appointment, None)
    if current.status != Status.CONFIRMED or not follow_organizer(current):
        return False
    current.save(update_fields=["meeting"])
    record_event(current, Fact(AppointmentEventKind.ORGANIZER_CHANGED))
    return True


@transaction.atomic
def _repair_meeting(pk: int) -> bool:
    """Check again under a lock and update the meeting. A row that is locked is being changed, so it is skipped."""
    rows = Appointment.objects.select_for_update(no_key=True, skip_locked=True)
    current = rows.filter(pk=pk).first()
    # Read after the lock: a joined row would show its state from before the wait.
    meeting = (
        Meeting.objects.filter(appointment=current, desired_state=DesiredState.PRESENT).first() if current else None
    )
    if current is None or meeting is None:
        return False
    if Appointment.objects.filter(_NEEDS_NO_MEETING, pk=pk).exists():
        return _cancel_meeting(meeting)
    if (current.starts_at, current.ends_at) == (meeting.starts_at, meeting.ends_at):
        return False
    request_move(meeting.pk, starts_at=current.starts_at, ends_at=current.ends_at)
    record_finding(meeting, FindingKind.MOVED)
    return True


def _cancel_meeting(meeting: Meeting) -> bool:
    request_cancel(meeting.pk)
    record_finding(meeting, FindingKind.CANCELLED)
    return True
