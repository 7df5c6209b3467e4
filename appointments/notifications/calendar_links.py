"""Links that add an appointment to an online calendar, for readers whose email program ignores calendar files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import quote, urlencode

from appointments.absolute_urls import calendar_file_url
from appointments.models import Appointment, Audience
from appointments.notifications.ics import description_of, place_of, summary

# Both addresses and their parameters are from memory: neither service documents them. Outlook's is the one
# for private accounts, which most clients have; people with a work account are redirected after signing in.
_GOOGLE: Final = "https://calendar.google.com/calendar/render"
_OUTLOOK: Final = "https://outlook.live.com/calendar/0/deeplink/compose"
#: Longer addresses are cut by some email programs and refused by some servers.
_LONGEST_DETAILS: Final = 500


@dataclass(frozen=True)
class CalendarFacts:
    """Texts and times of an entry for one reader. `file_url` is empty if the reader can't download the file."""

    title: str
    starts_at: datetime
    ends_at: datetime
    place: str
    details: str
    file_url: str = ""


class CalendarLinks(NamedTuple):
    """Addresses that add an entry. The file is for Apple and other calendars."""

    google: str
    outlook: str
    ics: str


def calendar_facts_of(appointment: Appointment, audience: str) -> CalendarFacts:
    """Return what calendars show to the reader, in the current language."""
    return CalendarFacts(
        title=summary(appointment, audience),
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        place=place_of(appointment, audience),
        details=description_of(appointment, audience),
        # Its address holds the token that moves and cancels the appointment, which only the client has.
        file_url=calendar_file_url(appointment) if audience == Audience.CLIENT else "",
    )


def calendar_links(facts: CalendarFacts) -> CalendarLinks:
    """Return the links of an entry.

    An entry added by Google's or Outlook's link is a copy: later emails can't move or remove it. The file's entry has
    the UID of the emails and follows them.
    """
    details = facts.details[:_LONGEST_DETAILS]
    google = {
        "action": "TEMPLATE",
        "text": facts.title,
        "dates": f"{facts.starts_at.astimezone(UTC):%Y%m%dT%H%M%SZ}/{facts.ends_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        "location": facts.place,
        "details": details,
    }
    outlook = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": facts.title,
        "startdt": f"{facts.starts_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "enddt": f"{facts.ends_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "location": facts.place,
        "body": details,
    }
    return CalendarLinks(_link(_GOOGLE, google), _link(_OUTLOOK, outlook), facts.file_url)


def _link(address: str, parameters: dict[str, str]) -> str:
    # Outlook shows a plus sign as it is (seen), so spaces are %20.
    return f"{address}?{urlencode(parameters, quote_via=quote, safe='')}"
