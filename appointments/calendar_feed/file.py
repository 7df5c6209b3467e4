"""Calendar file (RFC 5545) that other calendars read from a private address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from icalendar import Calendar, vText
from icalendar.parser import Contentline

from appointments.absolute_urls import staff_url_of
from appointments.models import LONGEST_BUSY_TIME, Appointment
from appointments.notifications.ics import PUBLISH, clean_text, organizer_of
from services.models import MeetingMethod
from staff.models import StaffMember

#: Time before now from which past appointments are in the file.
PAST: Final = timedelta(days=30)
#: The longest booking horizon of a service.
FUTURE: Final = timedelta(days=730)
#: Calendars are asked to read the file again after this time. Google and Outlook choose their own.
REFRESH: Final = timedelta(hours=1)

# Calendar services fetch the file without a sign-in, keep copies and may show them to colleagues. It therefore has the
# client's initials only. The name, phone number, notes and join link are on the page that the entry links to.
_COLUMNS: Final = ("pk", "public_id", "version", "starts_at", "ends_at", "method", "service__name", "client__name")
_COLUMNS_OF_PLACE: Final = ("location__name",)

_END: Final = b"END:VCALENDAR\r\n"

Rows = list[dict[str, Any]]


def rows_of(member: StaffMember) -> Rows:
    """Return the data of the person's appointments from PAST to FUTURE, without cancelled ones. One query."""
    now = timezone.now()
    # The index is by the start of the busy time.
    busy = Appointment.objects.busy().filter(staff=member, busy_from__gt=now - PAST - LONGEST_BUSY_TIME)
    shown = busy.filter(busy_from__lt=now + FUTURE, ends_at__gt=now - PAST)
    return list(shown.order_by("starts_at", "pk").values(*_COLUMNS, *_COLUMNS_OF_PLACE))


def fingerprint_of(member: StaffMember, rows: Rows) -> str:
    """Return a hash that changes when the file would."""
    shown = [member.name, member.organization and member.organization.name, translation.get_language(), rows]
    return sha256(repr(shown).encode()).hexdigest()[:32]


def calendar_file(member: StaffMember, rows: Rows) -> bytes:
    """Return the file in UTF-8, in the current language."""
    calendar = Calendar()
    calendar.add("prodid", "-//Coconut//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", PUBLISH)
    name = clean_text(_("Appointments of %(name)s") % {"name": member.name})
    # `name` and `refresh-interval` are of RFC 7986. Outlook and Google read the older names (from memory).
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    head: bytes = calendar.to_ical()
    shared = _shared_lines(member)
    entries = b"".join(_entry(row, shared) for row in rows)
    return head.removesuffix(_END) + entries + _END


def _shared_lines(member: StaffMember) -> list[str]:
    """Return the lines that all entries have. None has an alarm: each device that reads the file would ring."""
    lines = [f"DTSTAMP:{_moment(timezone.now())}", "STATUS:CONFIRMED"]
    if member.organization is not None:
        organizer = organizer_of(member.organization)
        lines.append(str(Contentline.from_parts("ORGANIZER", organizer.params, organizer)))
    return lines


def _entry(row: dict[str, Any], shared: list[str]) -> bytes:
    """Return the lines of an entry. The library's components take ten times as long, and a file has thousands."""
    summary = " ".join(filter(None, [row["service__name"], initials_of(row["client__name"])]))
    lines = [
        "BEGIN:VEVENT",
        f"UID:{row['public_id']}",
        f"SEQUENCE:{row['version']}",
        f"DTSTART:{_moment(row['starts_at'])}",
        f"DTEND:{_moment(row['ends_at'])}",
        f"SUMMARY:{_escaped(summary)}",
        f"LOCATION:{_escaped(_place_of(row))}",
        f"URL:{staff_url_of(row['pk'])}",
        *shared,
        "END:VEVENT",
    ]
    return b"".join(map(_folded, lines))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    escaped: bytes = vText(clean_text(text)).to_ical()
    return escaped.decode()


def _folded(line: str) -> bytes:
    """Return the line in UTF-8, folded if it is longer than 75 octets (RFC 5545, section 3.1)."""
    encoded = line.encode()
    if len(encoded) > 75:
        encoded = Contentline(line).to_ical()  # type: ignore[no-untyped-call]
    return encoded + b"\r\n"


def _place_of(row: dict[str, Any]) -> str:
    method = MeetingMethod(row["method"])
    at_location = method == MeetingMethod.AT_LOCATION and row["location__name"]
    return str(at_location or method.label)


def initials_of(name: str) -> str:
    """Return the first letters of the first and the last name: "C. B."; "" for an erased client."""
    words = [word for word in name.split() if word[0].isalnum()]
    return " ".join(f"{word[0]}." for word in [*words[:1], *words[1:][-1:]])
