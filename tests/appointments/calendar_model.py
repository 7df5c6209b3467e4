"""A calendar that follows emails as Outlook, Gmail and Apple do, read by two independent parsers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

import icalendar
import vobject
from django.core import mail

Event = dict[str, Any]


def by_icalendar(text: str) -> list[Event]:
    calendar = icalendar.Calendar.from_ical(text)
    return [
        {
            "method": str(calendar["METHOD"]),
            "uid": str(event["UID"]),
            "order": (int(str(event["SEQUENCE"])), event.decoded("DTSTAMP")),
            "start": event.decoded("DTSTART").astimezone(UTC),
            "end": event.decoded("DTEND").astimezone(UTC),
            "status": str(event["STATUS"]),
            "summary": str(event["SUMMARY"]),
            "location": str(event.get("LOCATION", "")),
            "description": str(event.get("DESCRIPTION", "")),
            "attendee": str(event.get("ATTENDEE", "")),
            "organizer": str(event["ORGANIZER"]),
            "alarms": len(event.walk("VALARM")),
        }
        for event in calendar.walk("VEVENT")
    ]


def by_vobject(text: str) -> list[Event]:
    calendar = vobject.readOne(text)
    return [
        {
            "method": calendar.method.value,
            "uid": event.uid.value,
            "order": (int(event.sequence.value), event.dtstamp.value),
            "start": event.dtstart.value.astimezone(UTC),
            "end": event.dtend.value.astimezone(UTC),
            "status": event.status.value,
            "summary": event.summary.value,
            "location": event.location.value if "location" in event.contents else "",
            "description": event.description.value if "description" in event.contents else "",
            "attendee": event.attendee.value if "attendee" in event.contents else "",
            "organizer": event.organizer.value,
            "alarms": len(event.contents.get("valarm", [])),
        }
        for event in getattr(calendar, "vevent_list", [])
    ]


PARSERS: Final[list[Callable[[str], list[Event]]]] = [by_icalendar, by_vobject]


@dataclass
class ReadersCalendar:
    """Entries by UID. A change that is older than the entry, or than its end, changes nothing (RFC 5546, 2.1.5)."""

    entries: dict[str, Event] = field(default_factory=dict)
    last: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        uid = event["uid"]
        if uid in self.last and event["order"] < self.last[uid]:
            return
        self.last[uid] = event["order"]
        if event["method"] == "CANCEL" or event["status"] == "CANCELLED":
            self.entries.pop(uid, None)
        else:
            self.entries[uid] = event


def received(addresses: Iterable[str]) -> list[EmailMessage]:
    """Return the sent emails to these addresses in the order of sending, as email programs read them."""
    own = set(addresses)
    sent = [one for one in mail.outbox if own & set(one.to)]
    return [message_from_bytes(_as_sent(one), policy=policy.default) for one in sent]


def _as_sent(message: Any) -> bytes:
    """Return the bytes that Django's SMTP backend sends."""
    sent: bytes = message.message().as_bytes(linesep="\r\n")
    return sent


def calendar_file(message: EmailMessage) -> str:
    """Return the text that calendars act on: the alternative, else the attachment."""
    parts = [one for one in message.walk() if one.get_content_type() == "text/calendar"]
    return parts[0].get_payload(decode=True).decode() if parts else ""  # type: ignore[union-attr]


def entries_of(*addresses: str, emails: list[EmailMessage] | None = None) -> list[Event]:
    """Return the entries in the calendar of one mailbox. Both parsers must lead to the same."""
    found = []
    for parse in PARSERS:
        calendar = ReadersCalendar()
        for message in received(addresses) if emails is None else emails:
            for event in parse(calendar_file(message)):
                calendar.apply(event)
        found.append(list(calendar.entries.values()))
    assert found[0] == found[1]
    return found[0]
