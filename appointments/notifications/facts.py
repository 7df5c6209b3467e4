"""Facts of an appointment in an email, with the previous value of those that changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.labels import personal_link_label
from appointments.models import Appointment, Audience
from appointments.notifications.before_after import PreviousValues
from appointments.notifications.ics import address_of
from appointments.time_zones import current_zone_label
from services.models import MeetingMethod


@dataclass(frozen=True)
class Fact:
    """A labelled line, the lines below it, and its previous value."""

    label: str
    now: str
    more: list[str] = field(default_factory=list)
    before: str = ""


def facts_of(appointment: Appointment, audience: str, earlier: PreviousValues, *, is_live: bool) -> list[Fact]:
    """Return the facts in the current language and time zone, which must be the reader's."""
    whom = _("With") if audience == Audience.CLIENT else _("Staff member")
    facts = [
        _when(appointment, audience, earlier),
        Fact(_("Service"), appointment.service.name),
        Fact(whom, appointment.staff.name, before=earlier.staff),
        Fact(
            _("Meeting method"),
            appointment.get_method_display(),
            _how(appointment, audience) if is_live else [],
            before=", ".join(filter(None, [earlier.method, earlier.address])),
        ),
    ]
    address = "" if appointment.has_video_link else address_of(appointment)
    return [*facts, Fact(_("Location"), address)] if address else facts


def _when(appointment: Appointment, audience: str, earlier: PreviousValues) -> Fact:
    zone = current_zone_label(appointment.starts_at)
    now = _span(appointment.starts_at, appointment.ends_at)
    if earlier.starts_at is None or earlier.ends_at is None:
        return Fact(_("When"), f"{now}, {zone}")
    before = _span(earlier.starts_at, earlier.ends_at)
    if audience == Audience.FORMER:
        # The previous staff member knows the appointment by its previous time.
        return Fact(_("When"), f"{before}, {zone}")
    return Fact(_("When"), f"{now}, {zone}", before=before)


def _span(starts_at: datetime, ends_at: datetime) -> str:
    start, end = timezone.localtime(starts_at), timezone.localtime(ends_at)
    return f"{date_format(start, 'l, j F Y, H:i')} – {date_format(end, 'H:i')}"


def _how(appointment: Appointment, audience: str) -> list[str]:
    """Return who makes the call, or the label and note of a personal link."""
    if appointment.method == MeetingMethod.PHONE and audience == Audience.CLIENT and appointment.client.phone:
        return [_("We call you at %(phone)s.") % {"phone": appointment.client.phone}]
    return [*filter(None, [personal_link_label(appointment), appointment.personal_meeting_note])]
