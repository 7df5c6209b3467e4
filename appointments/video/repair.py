"""Links for booked appointments that have none, or another one than their staff member uses now: made on demand.

Each appointment is a transaction of its own, which locks and looks again: whoever clicks twice, or second, finds that
there is nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.absolute_urls import has_video_link
from appointments.booking_rules.errors import BookingError
from appointments.booking_rules.locks import lock_appointment, lock_staff
from appointments.booking_rules.validation import check_active, check_changeable
from appointments.models import LIVE_STATUSES, Appointment, BookedThrough, NotificationKind
from appointments.notifications.outbox import notify_all
from appointments.timeline import note
from appointments.video.meeting import VIDEO_FIELDS, reassign_video
from appointments.video.missing_links import is_elsewhere, lacks_link
from integrations.hosting.eligibility import hosting_of
from integrations.meetings.requests import try_again
from integrations.meetings.signals import gathered
from integrations.models import Meeting
from services.models import MeetingMethod
from staff.models import StaffMember

#: How many appointments one click works on: a few seconds' worth.
AT_ONCE: Final = 500


@dataclass(frozen=True)
class Repaired:
    """What became of a selection: how many got a link, and for how many nothing was left to do, or possible."""

    made: int
    skipped: int


@dataclass(frozen=True)
class Answer:
    """Whether a link is tried again, and what hinders it ("" for nothing)."""

    is_tried: bool
    sentence: str = ""


def make_links(
    appointments: Iterable[Appointment], *, actor: StaffMember, replacing: bool = False
) -> Repaired:
    """`make_link` for each of these, loaded with organisation and staff; what is refused is counted and passed over.

    Not in a transaction.
    """
    made = skipped = 0
    with gathered():
        for appointment in appointments:
            try:
                is_made = make_link(appointment, actor=actor, replacing=replacing)
            except BookingError:
                is_made = False
            made, skipped = made + is_made, skipped + (not is_made)
    return Repaired(made, skipped)


def ask_again(appointment: Appointment, *, actor: StaffMember) -> Answer:
    """For one appointment's button: its link where its staff member hosts now, else what failed once more.

    Also whoever cannot host now is tried again, as that may have been mended at the platform meanwhile.
    """
    sentence = ""
    try:
        if make_link(appointment, actor=actor):
            return Answer(is_tried=True)
    except BookingError as refusal:
        sentence = refusal.sentence
    return Answer(bool(try_again(Meeting.objects.filter(appointment=appointment))), sentence)


def make_link(appointment: Appointment, *, actor: StaffMember, replacing: bool = False) -> bool:
    """Have the appointment take place where its staff member hosts now; False where it does, or has a link already.

    `replacing` lets go of a link that works. The client's join link stays and leads to the new one, so that nobody is
    told, but those who were sent no link at all. Raises BookingError with the reason why somebody cannot host.
    """
    with transaction.atomic():
        lock_staff(appointment.staff)
        current = lock_appointment(appointment, actor)
        _check_video(current)
        if not (_is_replaceable(current) if replacing else lacks_link(current)):
            return False
        check_active(current.staff)
        _make(current, actor, replacing=replacing)
    return True


def _check_video(appointment: Appointment) -> None:
    check_changeable(appointment, BookedThrough.SCHEDULE)
    if appointment.method != MeetingMethod.VIDEO or appointment.status not in LIVE_STATUSES:
        raise BookingError(_("This appointment takes place on no video call any more."))


def _is_replaceable(appointment: Appointment) -> bool:
    return is_elsewhere(appointment, hosting_of([appointment.staff])[appointment.staff_id])


def _make(appointment: Appointment, actor: StaffMember, *, replacing: bool) -> None:
    was_sent_none = not has_video_link(appointment)
    if appointment.meeting is not None:
        # What was refused is forgotten; the meeting may stay the same one.
        try_again(Meeting.objects.filter(pk=appointment.meeting.pk))
    reassign_video(appointment)
    appointment.version += 1
    appointment.save(update_fields=["version", *VIDEO_FIELDS])
    text = _("The link was replaced.") if replacing else _("A link was asked for.")
    note(appointment, text, actor=actor, through=BookedThrough.SCHEDULE)
    if was_sent_none:
        notify_all(appointment, NotificationKind.CHANGED)
