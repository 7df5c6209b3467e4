"""Change booked appointments to video calls after their service has been given Video Call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments.booking_rules.errors import BookingError
from appointments.changes.meeting_method import change_method
from appointments.models import Appointment, AppointmentQuerySet, BookedThrough, Status
from appointments.notifications.outbox import one_email_per_staff_member
from appointments.video.missing_links import host_is_able
from appointments.video.repair import RepairResult
from appointments.video.repair_rows import LinkRow, rows_of
from coconut.isolation import isolated
from integrations.hooks import MeetingPage
from integrations.hosting.blocking_reasons import BlockingReason
from integrations.meetings.signals import batch_enqueue
from services.methods import offers_of
from services.models import MeetingMethod, Service
from staff.models import StaffMember
from staff.notices import Notice

#: Appointments that one click processes; each is more work than a link repair.
BATCH_SIZE: Final = 200


@dataclass(frozen=True)
class NotVideo:
    """Number of upcoming appointments that aren't video calls, and of those with a method no longer offered."""

    total: int
    no_longer_offered: int


def without_video(service: Service) -> AppointmentQuerySet:
    """Return the service's upcoming appointments that aren't video calls and whose client hasn't arrived, by start."""
    upcoming = Appointment.objects.filter(service=service, status=Status.CONFIRMED, starts_at__gt=timezone.now())
    return upcoming.exclude(method=MeetingMethod.VIDEO).order_by("starts_at", "pk")


def switchable_to_video(service: Service) -> AppointmentQuerySet:
    """Return those of `without_video` whose staff member can host and whose client has an email."""
    return without_video(service).filter(host_is_able(service.organization)).exclude(client__email="")


def count_not_video(service: Service) -> NotVideo:
    """Count the appointments of `without_video`; zero if the service doesn't offer Video Call. Two queries."""
    offered = offers_of(service)
    if MeetingMethod.VIDEO not in offered:
        return NotVideo(0, 0)
    counts = without_video(service).aggregate(
        total=Count("pk"), no_longer_offered=Count("pk", filter=~Q(method__in=list(offered)))
    )
    return NotVideo(**counts)


def switch_rows(appointments: Sequence[Appointment]) -> list[LinkRow]:
    """Return the rows of a preview, each with the reason that blocks a video call, if any. Takes two queries."""
    return [
        replace(row, blocking_reason=row.blocking_reason or _missing_email(row.appointment))
        for row in rows_of(appointments)
    ]


def switch_to_video(appointments: Iterable[Appointment], *, actor: StaffMember) -> RepairResult:
    """Change each appointment to a video call, in its own transaction, and notify client and staff member.

    Appointments that can't be changed are skipped and counted. Don't call this in a transaction.
    """
    changed = skipped = 0
    with batch_enqueue(), one_email_per_staff_member():
        for appointment in appointments:
            is_changed = False
            with isolated(f"Changing appointment {appointment.pk} to a video call"), suppress(BookingError):
                change_method(appointment, method=MeetingMethod.VIDEO, actor=actor, through=BookedThrough.SCHEDULE)
                is_changed = True
            changed, skipped = changed + is_changed, skipped + (not is_changed)
    return RepairResult(changed, skipped)


def switch_notice(service: Service) -> Notice | None:
    """Return a notice for the service's page: booked appointments keep their method until an admin changes them."""
    found = count_not_video(service)
    if not found.total:
        return None
    if number := found.no_longer_offered:
        sentence = ngettext(
            "%d booked appointment of this service takes place in a way that is no longer offered.",
            "%d booked appointments of this service take place in a way that is no longer offered.",
            number,
        )
    else:
        number = found.total
        sentence = ngettext(
            "%d booked appointment of this service isn’t a video call.",
            "%d booked appointments of this service aren’t video calls.",
            number,
        )
    address = reverse("service-to-video", args=[service.pk])
    is_urgent = found.no_longer_offered > 0
    return Notice(sentence % number, _("Change them to video calls"), address, is_urgent=is_urgent)


def _missing_email(appointment: Appointment) -> BlockingReason | None:
    if appointment.client.email:
        return None
    name = {"name": appointment.client.name}
    sentence = _("%(name)s has no email to send the link to. Add one, or choose another meeting method.")
    return BlockingReason(
        sentence=sentence % name,
        reason=_("%(name)s has no email to send the link to.") % name,
        ask="",
        page=MeetingPage(reverse("client-edit", args=[appointment.client_id]), _("Add one")),
    )
