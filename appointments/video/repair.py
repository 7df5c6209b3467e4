"""Create or replace the links of booked appointments when a user requests it.

Each appointment has its own transaction, which locks and checks again, so that a repeated click finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.booking_rules.errors import BookingError
from appointments.booking_rules.locks import lock_appointment, lock_staff
from appointments.booking_rules.validation import check_active, check_changeable
from appointments.models import (
    LIVE_STATUSES,
    Appointment,
    AppointmentEventKind,
    BookedThrough,
    NotificationKind,
)
from appointments.notifications.outbox import notify_all, one_email_per_staff_member
from appointments.timeline import Fact, record_event
from appointments.video.meeting import VIDEO_FIELDS, reassign_video
from appointments.video.missing_links import is_elsewhere, lacks_link
from coconut.isolation import isolated
from integrations.hosting.eligibility import hosting_of
from integrations.meetings.organizers import request_follow
from integrations.meetings.requests import try_again
from integrations.meetings.signals import batch_enqueue
from integrations.models import Meeting
from services.models import MeetingMethod
from staff.models import StaffMember

#: Appointments that one click processes; they take a few seconds.
BATCH_SIZE: Final = 500


@dataclass(frozen=True)
class RepairResult:
    """Numbers of appointments that were changed, and that were skipped as not necessary or not possible."""

    changed: int
    skipped: int


@dataclass(frozen=True)
class RetryResult:
    """Return whether a link is tried again, and the blocking reason if there is one."""

    is_retried: bool
    sentence: str = ""


def repair_links(appointments: Iterable[Appointment], *, actor: StaffMember, replacing: bool = False) -> RepairResult:
    """Repair the link of each appointment; appointments that can't be repaired are skipped and counted.

    Load the organisation and staff with `appointments`. Don't call this in a transaction.
    """
    changed = skipped = 0
    with batch_enqueue(), one_email_per_staff_member():
        for appointment in appointments:
            is_changed = False
            with isolated(f"Repairing the link of appointment {appointment.pk}"), suppress(BookingError):
                is_changed = repair_link(appointment, actor=actor, replacing=replacing)
            changed, skipped = changed + is_changed, skipped + (not is_changed)
    return RepairResult(changed, skipped)


def retry_link(appointment: Appointment, *, actor: StaffMember) -> RetryResult:
    """Repair the link of one appointment, or else try the failed meeting again.

    The meeting is tried again even if the staff member can't host now: the cause may be fixed on the platform.
    """
    sentence = ""
    try:
        if repair_link(appointment, actor=actor):
            return RetryResult(is_retried=True)
    except BookingError as error:
        sentence = error.sentence
    if appointment.meeting is not None:
        # The organizer's account may have been replaced since.
        request_follow(appointment.meeting.connection)
    return RetryResult(bool(try_again(Meeting.objects.filter(appointment=appointment))), sentence)


def repair_link(appointment: Appointment, *, actor: StaffMember, replacing: bool = False) -> bool:
    """Request a link on the platform where the staff member hosts now; return False if there is nothing to do.

    Without `replacing`, a link that works is kept. The client's join link stays and leads to the new link, so only
    clients who had no link are notified. Raises BookingError if the staff member can't host.
    """
    with transaction.atomic():
        lock_staff(appointment.staff)
        current = lock_appointment(appointment, actor)
        check_changeable(current, BookedThrough.SCHEDULE)
        if current.method != MeetingMethod.VIDEO or current.status not in LIVE_STATUSES:
            raise BookingError(_("This appointment is no longer a video call."))
        if replacing:
            is_needed = is_elsewhere(current, hosting_of([current.staff])[current.staff_id])
        else:
            is_needed = lacks_link(current)
        if not is_needed:
            return False
        check_active(current.staff)
        _request_link(current, actor, replacing=replacing)
    return True


def _request_link(appointment: Appointment, actor: StaffMember, *, replacing: bool) -> None:
    had_no_link = not appointment.has_video_link
    if appointment.meeting is not None:
        # The meeting may stay the same, so its failure must be cleared.
        try_again(Meeting.objects.filter(pk=appointment.meeting.pk))
    reassign_video(appointment)
    appointment.version += 1
    appointment.save(update_fields=["version", *VIDEO_FIELDS])
    kind = AppointmentEventKind.LINK_REPLACED if replacing else AppointmentEventKind.LINK_REQUESTED
    record_event(appointment, Fact(kind), actor=actor, through=BookedThrough.SCHEDULE)
    if had_no_link:
        notify_all(appointment, NotificationKind.CHANGED)
