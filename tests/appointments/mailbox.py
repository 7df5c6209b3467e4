"""Changes of an appointment, and the emails about them as an email program reads them."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from django.core import mail
from icalendar import Calendar

from appointments.changes.move import move_appointment
from appointments.changes.status import cancel_appointment
from appointments.models import Appointment, BookedThrough
from tests.appointments.conftest import monday


def move(appointment: Appointment, hour: int = 14) -> Appointment:
    return move_appointment(appointment, starts_at=monday(hour), actor=None, through=BookedThrough.CLIENT_VIEW)


def cancel(appointment: Appointment) -> Appointment:
    return cancel_appointment(appointment, actor=None, through=BookedThrough.CLIENT_VIEW)


def sent_to(address: str) -> EmailMessage:
    """Return the last email to an address, as an email program reads it."""
    message = [one for one in mail.outbox if one.to == [address]][-1]
    return message_from_bytes(message.message().as_bytes(), policy=policy.default)


def part(message: EmailMessage, content_type: str) -> str:
    return str(next(one for one in message.walk() if one.get_content_type() == content_type).get_content())


def event_of(message: EmailMessage) -> tuple[Calendar, Any]:
    calendar = Calendar.from_ical(part(message, "text/calendar"))
    return calendar, calendar.walk("VEVENT")[0]
