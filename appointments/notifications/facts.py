"""Facts of an appointment in an email, with the previous value of those that changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.labels import personal_link_label
from appointments.models import Appointment, Audience
from appointments.notifications.autolinks import without_autolinks
from appointments.notifications.before_after import PreviousValues
from appointments.notifications.ics import address_of
from appointments.time_zones import current_zone_label, range_ends
from coconut.fields.phone_numbers import phone_number
from services.models import MeetingMethod


@dataclass(frozen=True)
class EmailFact:
    """A labelled line, the lines below it, its previous value, and the address of a map."""

    label: str
    now: str
    more: list[str] = field(default_factory=list)
    previous: str = ""
    map_link: str = ""


def facts_of(appointment: Appointment, audience: str, previous: PreviousValues, *, is_live: bool) -> list[EmailFact]:
    """Return the facts in the current language and time zone, which must be the reader's."""
    facts = [
        _when(appointment, audience, previous),
        EmailFact(_("Service"), appointment.service.name),
        *_person(appointment, audience, previous),
        EmailFact(
            _("Meeting method"),
            appointment.get_method_display(),
            _method_details(appointment, audience) if is_live else [],
            previous=", ".join(filter(None, [previous.method, previous.address])),
        ),
    ]
    address = "" if appointment.has_video_link else address_of(appointment)
    if not address or appointment.location is None:
        return facts
    return [*facts, EmailFact(_("Location"), address, map_link=appointment.location.map_link)]


def _person(appointment: Appointment, audience: str, previous: PreviousValues) -> list[EmailFact]:
    """Return the staff member. A client reads no name of a person who left."""
    if audience != Audience.CLIENT:
        return [EmailFact(_("Staff member"), appointment.staff.name, previous=previous.staff)]
    if appointment.staff.has_left_at(timezone.now()):
        return []
    return [EmailFact(_("With"), appointment.staff.name, previous=previous.staff)]


def _when(appointment: Appointment, audience: str, previous: PreviousValues) -> EmailFact:
    zone = current_zone_label(appointment.starts_at)
    now = _time_range(appointment.starts_at, appointment.ends_at)
    previous_time = _previous_time(appointment, previous)
    if previous_time in ("", now):
        return EmailFact(_("When"), f"{now}, {zone}", _zone_rules_note(previous))
    if audience == Audience.FORMER:
        # The previous staff member knows the appointment by its previous time.
        return EmailFact(_("When"), f"{previous_time}, {zone}")
    return EmailFact(_("When"), f"{now}, {zone}", previous=previous_time)


def _previous_time(appointment: Appointment, previous: PreviousValues) -> str:
    """Return the time that the reader was told, or "" if it is unchanged."""
    starts_at, ends_at = previous.starts_at, previous.ends_at
    length = (ends_at - starts_at) if starts_at and ends_at else appointment.ends_at - appointment.starts_at
    local = previous.local_start
    if local is not None and str(local.tzinfo) == timezone.get_current_timezone_name():
        return _time_range(local, local + length)
    return _time_range(starts_at, starts_at + length) if starts_at else ""


def _zone_rules_note(previous: PreviousValues) -> list[str]:
    """Explain an email about a moment that moved while the reader's clock shows the same time."""
    if previous.starts_at is None:
        return []
    return [_("The rules of the time zone changed. Your time stays; calendars may have shown another one.")]


def _time_range(starts_at: datetime, ends_at: datetime) -> str:
    start = timezone.localtime(starts_at)
    return f"{date_format(start, 'l, j F Y')}, {' – '.join(range_ends(start, ends_at))}"


def _method_details(appointment: Appointment, audience: str) -> list[str]:
    """Return who makes the call, or the label and note of a personal link."""
    if appointment.method == MeetingMethod.PHONE and audience == Audience.CLIENT and appointment.client.phone:
        return [_("We call you at %(phone)s.") % {"phone": without_autolinks(phone_number(appointment.client.phone))}]
    return [*filter(None, [personal_link_label(appointment), appointment.personal_meeting_note])]
