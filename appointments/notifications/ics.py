"""Calendar file of an appointment (RFC 5545, RFC 5546): an invitation, its cancellation, or a file to download."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from appointments.absolute_urls import join_url_for
from appointments.labels import join_label, personal_link_label
from appointments.models import Appointment, Audience, NotificationKind, Status
from appointments.notifications.autolinks import without_autolinks
from coconut.fields.phone_numbers import phone_number
from services.models import MeetingMethod
from staff.emails.sender import sender_address_of
from staff.models import Organization

# Each reader gets an entry of their own: one event with one attendee. Its updates are REQUEST and its end is CANCEL
# (RFC 5546, sections 3.2.2 and 3.2.5). Outlook and Gmail then change the entry in place. They take PUBLISH (section
# 3.2.1) for a copy to add by hand, so it is only for files without an attendee.
REQUEST, CANCEL, PUBLISH = "REQUEST", "CANCEL", "PUBLISH"

#: Time between the calendar's alarm and the start. A reader who travels needs more.
ALARM_BEFORE: Final = timedelta(minutes=15)
ALARM_BEFORE_TRAVEL: Final = timedelta(hours=1)
_TRAVEL: Final = (MeetingMethod.AT_LOCATION, MeetingMethod.OFF_SITE)
# Text allows no control characters except tab and the escaped line break (RFC 5545, section 3.3.11).
_LINE_BREAK: Final = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def method_of(kind: str) -> str:
    """Return the METHOD of the calendar file."""
    return CANCEL if kind == NotificationKind.CANCELLED else REQUEST


def invitation(appointment: Appointment, *, kind: str, sequence: int, audience: str, to: str) -> bytes:
    """Return the .ics file for one recipient, in UTF-8. An invitation needs an attendee, so `to` isn't empty.

    Its UID stays the same over the appointment's life and SEQUENCE grows, so that calendars replace the entry. It
    gets forwarded: it holds the reader's join link and never the link to manage the appointment.
    """
    calendar = _empty_calendar(method_of(kind))
    event = _event(appointment, audience, sequence, is_cancelled=kind == NotificationKind.CANCELLED)
    event.add("attendee", _attendee(to), encode=False)
    calendar.add_component(event)
    ics: bytes = calendar.to_ical()
    return ics


def file_of(appointment: Appointment) -> bytes:
    """Return the .ics file that the client downloads, in UTF-8. A client without email has one, too."""
    calendar = _empty_calendar(PUBLISH)
    is_cancelled = appointment.status == Status.CANCELLED
    calendar.add_component(_event(appointment, Audience.CLIENT, appointment.version, is_cancelled=is_cancelled))
    ics: bytes = calendar.to_ical()
    return ics


def calendar_of(appointments: Iterable[Appointment]) -> str:
    """Return one .ics file of several live appointments for their staff member, to import into a calendar."""
    calendar = _empty_calendar(PUBLISH)
    for appointment in appointments:
        calendar.add_component(_event(appointment, Audience.STAFF, appointment.version, is_cancelled=False))
    return str(calendar.to_ical().decode())


def summary(appointment: Appointment, audience: str) -> str:
    """Return one line for a calendar or a subject: the service, and the person or organisation the reader meets."""
    client = without_autolinks(appointment.client.name)
    is_for_client = audience in (Audience.CLIENT, Audience.OLD_EMAIL)
    other = appointment.organization.name if is_for_client else client
    return " ".join(f"{appointment.service.name}, {other}".split())


def address_of(appointment: Appointment) -> str:
    """Return the location's name and address in one line, or "" if the appointment isn't at a location."""
    location = appointment.location
    if location is None or appointment.method != MeetingMethod.AT_LOCATION:
        return ""
    return ", ".join(filter(None, [location.name, location.address]))


def _empty_calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//Coconut//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def _event(appointment: Appointment, audience: str, sequence: int, *, is_cancelled: bool) -> Event:
    event = Event()
    # A UUID alone, without a host name (RFC 7986, section 5.3): it stays even if BASE_URL changes.
    event.add("uid", str(appointment.public_id))
    event.add("dtstamp", timezone.now())
    event.add("sequence", sequence)
    # The whole event of this reader ends, so CANCEL has the status as well (RFC 5546, section 3.2.5).
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    # Outlook, Google and Apple show a moment in UTC on the reader's clock. A TZID would be read by the rules that the
    # reader's program knows. They may be older, Outlook has names of its own, and a local time may come twice.
    event.add("dtstart", appointment.starts_at)
    event.add("dtend", appointment.ends_at)
    event.add("summary", clean_text(summary(appointment, audience)))
    event.add("organizer", organizer_of(appointment.organization), encode=False)
    if not is_cancelled:
        _add_details(event, appointment, audience)
    return event


def _add_details(event: Event, appointment: Appointment, audience: str) -> None:
    """Add what only a live entry has: a cancellation must not repeat phone numbers and links."""
    event.add("location", clean_text(place_of(appointment, audience)))
    event.add("description", clean_text(description_of(appointment, audience)))
    event.add("transp", "OPAQUE")
    if appointment.has_video_link:
        event.add("url", join_url_for(appointment, audience))
    place = appointment.location
    if place and place.latitude is not None and not appointment.has_video_link and address_of(appointment):
        event.add("geo", (float(place.latitude), float(place.longitude or 0)))
    event.add_component(_alarm(appointment, audience))


def _alarm(appointment: Appointment, audience: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", clean_text(summary(appointment, audience)))
    alarm.add("trigger", -(ALARM_BEFORE_TRAVEL if appointment.method in _TRAVEL else ALARM_BEFORE))
    return alarm


def clean_text(text: str) -> str:
    """Return the text without characters that calendars don't allow."""
    return _CONTROL.sub("", _LINE_BREAK.sub("\n", text))


def place_of(appointment: Appointment, audience: str) -> str:
    """Return the reader's join link, who calls which number, the address, or the name of the meeting method."""
    link = join_url_for(appointment, audience) if appointment.has_video_link else ""
    method = str(appointment.get_method_display())
    return link or address_of(appointment) or _phone_line(appointment, audience) or method


def description_of(appointment: Appointment, audience: str) -> str:
    """Return the person the reader meets, and how they meet."""
    link = join_url_for(appointment, audience) if appointment.has_video_link else ""
    is_for_client = audience == Audience.CLIENT
    other = appointment.staff.name if is_for_client else without_autolinks(appointment.client.name)
    # A client reads no name of a person who left.
    is_named = not (is_for_client and appointment.staff.has_left_at(timezone.now()))
    lines = [_("With %(name)s") % {"name": other}] if is_named else []
    lines += filter(None, [_phone_line(appointment, audience)])
    if link:
        lines.append(f"{join_label(appointment)}: {link}")
    lines += filter(None, [personal_link_label(appointment), appointment.personal_meeting_note])
    if is_for_client and appointment.service.confirmation_text:
        lines += ["", *appointment.service.confirmation_text.splitlines()]
    return "\n".join(lines)


def _phone_line(appointment: Appointment, audience: str) -> str:
    """Return who calls which number, or "" if it isn't a phone appointment or the number is unknown."""
    if appointment.method != MeetingMethod.PHONE or not appointment.client.phone:
        return ""
    phone = {"phone": without_autolinks(phone_number(appointment.client.phone))}
    return (_("We call you at %(phone)s.") if audience == Audience.CLIENT else _("Call %(phone)s.")) % phone


def organizer_of(organization: Organization) -> vCalAddress:
    """Return the sender of the emails: calendars compare both before they change an entry (RFC 6047, section 3)."""
    organizer = vCalAddress(f"mailto:{sender_address_of(organization)}")
    # A parameter can't hold double quotes or line breaks.
    name = _CONTROL.sub("", " ".join(organization.name.replace('"', "'").split()))
    organizer.params["CN"] = vText(name)
    return organizer


def _attendee(to: str) -> vCalAddress:
    attendee = vCalAddress(f"mailto:{to}")
    attendee.params["RSVP"] = vText("FALSE")
    attendee.params["PARTSTAT"] = vText("ACCEPTED")
    return attendee
