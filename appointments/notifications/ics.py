"""Calendar file of an appointment (RFC 5545, RFC 5546): an invitation, or its cancellation."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import parseaddr

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress, vText

from appointments.absolute_urls import join_url_for
from appointments.labels import join_label, personal_link_label
from appointments.models import Appointment, Audience, NotificationKind
from appointments.notifications.autolinks import without_autolinks
from coconut.fields.phone_numbers import phone_number
from services.models import MeetingMethod

REQUEST, CANCEL, PUBLISH = "REQUEST", "CANCEL", "PUBLISH"


def method_of(kind: str) -> str:
    """Return the METHOD of the calendar file."""
    return CANCEL if kind == NotificationKind.CANCELLED else REQUEST


def invitation(appointment: Appointment, *, kind: str, sequence: int, audience: str, to: str) -> bytes:
    """Return the .ics file for one recipient, in UTF-8.

    Its UID stays the same over the appointment's life and SEQUENCE grows, so that calendars replace the entry. It
    gets forwarded: it holds the reader's join link and never the link to manage the appointment.
    """
    calendar = _empty_calendar(method_of(kind))
    event = _event(appointment, audience)
    event.add("sequence", sequence)
    event.add("status", "CANCELLED" if kind == NotificationKind.CANCELLED else "CONFIRMED")
    event.add("organizer", _organizer(appointment), encode=False)
    if to:
        event.add("attendee", _attendee(to), encode=False)
    calendar.add_component(event)
    ics: bytes = calendar.to_ical()
    return ics


def calendar_of(appointments: Iterable[Appointment]) -> str:
    """Return one .ics file of several live appointments for their staff member, to import into a calendar."""
    calendar = _empty_calendar(PUBLISH)
    for appointment in appointments:
        event = _event(appointment, Audience.STAFF)
        event.add("sequence", appointment.version)
        event.add("status", "CONFIRMED")
        event.add("organizer", _organizer(appointment), encode=False)
        calendar.add_component(event)
    return str(calendar.to_ical().decode())


def summary(appointment: Appointment, audience: str) -> str:
    """Return one line for a calendar or a subject: the service, and the person or organisation the reader meets."""
    client = without_autolinks(appointment.client.name)
    other = appointment.organization.name if audience == Audience.CLIENT else client
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


def _event(appointment: Appointment, audience: str) -> Event:
    link = join_url_for(appointment, audience) if appointment.has_video_link else ""
    event = Event()
    # A UUID alone, without a host name (RFC 7986, section 5.3): it stays even if BASE_URL changes.
    event.add("uid", str(appointment.public_id))
    event.add("dtstamp", timezone.now())
    event.add("dtstart", appointment.starts_at)
    event.add("dtend", appointment.ends_at)
    event.add("summary", summary(appointment, audience))
    event.add("location", place_of(appointment, audience))
    place = appointment.location
    if place and place.latitude is not None and not link and address_of(appointment):
        event.add("geo", (float(place.latitude), float(place.longitude or 0)))
    event.add("description", description_of(appointment, audience))
    if link:
        event.add("url", link)
    return event


def place_of(appointment: Appointment, audience: str) -> str:
    """Return the reader's join link, the address, or the name of the meeting method."""
    link = join_url_for(appointment, audience) if appointment.has_video_link else ""
    return link or address_of(appointment) or str(appointment.get_method_display())


def description_of(appointment: Appointment, audience: str) -> str:
    """Return the person the reader meets, and how they meet."""
    link = join_url_for(appointment, audience) if appointment.has_video_link else ""
    is_for_client = audience == Audience.CLIENT
    other = appointment.staff.name if is_for_client else without_autolinks(appointment.client.name)
    # A client reads no name of a person who left.
    is_named = not (is_for_client and appointment.staff.has_left_at(timezone.now()))
    lines = [_("With %(name)s") % {"name": other}] if is_named else []
    if appointment.method == MeetingMethod.PHONE and appointment.client.phone:
        phone = {"phone": without_autolinks(phone_number(appointment.client.phone))}
        lines.append((_("We call you at %(phone)s.") if is_for_client else _("Call %(phone)s.")) % phone)
    if link:
        lines.append(f"{join_label(appointment)}: {link}")
    lines += filter(None, [personal_link_label(appointment), appointment.personal_meeting_note])
    if is_for_client and appointment.service.confirmation_text:
        lines += ["", *appointment.service.confirmation_text.splitlines()]
    return "\n".join(lines)


def _organizer(appointment: Appointment) -> vCalAddress:
    organizer = vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    # A parameter can't hold double quotes or line breaks.
    name = " ".join(appointment.organization.name.replace('"', "'").split())
    organizer.params["CN"] = vText(name)
    return organizer


def _attendee(to: str) -> vCalAddress:
    attendee = vCalAddress(f"mailto:{to}")
    attendee.params["RSVP"] = vText("FALSE")
    attendee.params["PARTSTAT"] = vText("ACCEPTED")
    return attendee
