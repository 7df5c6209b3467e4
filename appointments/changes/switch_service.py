"""Booked appointments of a service that has Video Call by now: changed to video calls where an admin says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments.booking_rules.errors import BookingError
from appointments.changes.meeting_method import change_method
from appointments.models import Appointment, BookedThrough, Status
from appointments.video.missing_links import is_able
from appointments.video.repair import Repaired
from appointments.video.repair_rows import LinkRow, rows_of
from integrations.hooks import MeetingPage
from integrations.hosting.reasons import BlockingReason
from integrations.meetings.signals import gathered
from services.methods import offers_of
from services.models import MeetingMethod, Service
from staff.models import StaffMember
from staff.notices import Notice

#: How many appointments one click works on; each of them is more work than a link.
AT_ONCE: Final = 200


@dataclass(frozen=True)
class NotVideo:
    """How many appointments to come are no video calls, and how many of these take place in a way not offered now."""

    everybody: int
    no_longer_offered: int


def not_yet_video(service: Service) -> QuerySet[Appointment]:
    """The service's appointments to come that take place another way, with nobody there yet; the next one first."""
    to_come = Appointment.objects.filter(
        service=service, status=Status.CONFIRMED, starts_at__gt=timezone.now()
    )
    return to_come.exclude(method=MeetingMethod.VIDEO).order_by("starts_at", "pk")


def switchable(service: Service) -> QuerySet[Appointment]:
    """Those that can be: whose staff member can host, and whose client can be sent the link."""
    return not_yet_video(service).filter(is_able(service.organization)).exclude(client__email="")


def count_not_video(service: Service) -> NotVideo:
    """Nothing where Video Call is not offered; two queries."""
    offered = offers_of(service)
    if MeetingMethod.VIDEO not in offered:
        return NotVideo(0, 0)
    counts = not_yet_video(service).aggregate(
        everybody=Count("pk"), no_longer_offered=Count("pk", filter=~Q(method__in=list(offered)))
    )
    return NotVideo(**counts)


def switch_rows(appointments: Sequence[Appointment]) -> list[LinkRow]:
    """The rows of a preview, each with what keeps it from being a video call. Two queries for any number of them."""
    return [
        replace(row, obstacle=row.obstacle or _without_email(row.appointment))
        for row in rows_of(appointments)
    ]


def switch_to_video(appointments: Iterable[Appointment], *, actor: StaffMember) -> Repaired:
    """Change these to video calls, each in a transaction of its own; client and staff member are told by mail.

    What is refused is counted and passed over. Not in a transaction.
    """
    made = skipped = 0
    with gathered():
        for appointment in appointments:
            try:
                change_method(
                    appointment, method=MeetingMethod.VIDEO, actor=actor, through=BookedThrough.SCHEDULE
                )
            except BookingError:
                skipped += 1
            else:
                made += 1
    return Repaired(made, skipped)


def switch_notice(service: Service) -> Notice | None:
    """For the service's page of meeting methods: what was booked stays as it is until an admin changes it."""
    found = count_not_video(service)
    if not found.everybody:
        return None
    address = reverse("service-to-video", args=[service.pk])
    sentence = _gone_words(found.no_longer_offered) if found.no_longer_offered else _words(found.everybody)
    return Notice(sentence, _("Change them to video calls"), address, is_urgent=found.no_longer_offered > 0)


def _words(number: int) -> str:
    words = ngettext(
        "%d booked appointment of this service is no video call.",
        "%d booked appointments of this service are no video calls.",
        number,
    )
    return words % number


def _gone_words(number: int) -> str:
    words = ngettext(
        "%d booked appointment of this service takes place in a way that is no longer offered.",
        "%d booked appointments of this service take place in a way that is no longer offered.",
        number,
    )
    return words % number


def _without_email(appointment: Appointment) -> BlockingReason | None:
    if appointment.client.email:
        return None
    words = {"name": appointment.client.name}
    sentence = _("%(name)s has no email to send the link to. Add one, or choose another meeting method.")
    return BlockingReason(
        sentence=sentence % words,
        reason=_("%(name)s has no email to send the link to.") % words,
        ask="",
        page=MeetingPage(reverse("client-edit", args=[appointment.client_id]), _("Add one")),
    )
