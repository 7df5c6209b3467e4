"""Text of strangers never becomes a link in our emails, calendar files and pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from itertools import product

import pytest
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.test import Client as Browser
from django.urls import reverse
from django.utils.html import strip_tags

from appointments.changes.status import cancel_appointment
from appointments.models import Appointment, Audience, BookedThrough, Client, Notification, NotificationKind
from appointments.notifications.autolinks import without_autolinks
from appointments.notifications.before_after import snapshot
from appointments.notifications.messages import message_for, summary_for
from services.models import MeetingMethod
from staff.models import OutboxEmail
from tests.appointments.conftest import Maple

pytestmark = pytest.mark.usefixtures("friday")

HOSTILE = [
    "https://maple-secure.example/login",
    "HTTP://192.0.2.7/login",
    "ftp://files.maple.example",
    "www.maple-secure.example",
    "www.1.example",
    "maple-secure.example/login?a=b",
    "MAPLE.EXAMPLE",
    "пример.рф",
    "maple．example",
    "maple。example",
    "192.0.2.7/login",
    "help@maple-secure.example",
    "help@[192.0.2.7]",
    "mailto:help@maple-secure.example",
    "tel:+15550100",
    r"\\files.maple.example\login",
    "(see:maple.example).",
    "Dr.Schmidt",
]
ORDINARY = [
    "Dr. J. O'Neil-Smith jr.",
    "Call at 10:30, please: it's about $3.50 (or 1.5k).",
    "Born 30.11.1980 – and/or later…",
    "Zoë said: yes. Then no.\nBring both @ ten.",
    ".NET, #1, 50%",
]
# Stricter than any email program: scheme, www, a domain of any ending, an email address, an IP address, a folder.
LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]*://|\bwww\.\S|[\w-][.．。｡][^\W\d_]{2,}|\S@\S|\b\d{1,3}(?:\.\d{1,3}){3}\b"
    r"|\b(?:mailto|tel|sms|javascript|file|data):\S|\\\\",
    re.IGNORECASE,
)


def links_in(text: str) -> list[str]:
    """Return what a linkifier finds apart from our own links."""
    return LINK.findall(re.sub(rf"{re.escape(settings.BASE_URL)}/\S*", "", text))


@pytest.mark.parametrize("text", HOSTILE)
def test_an_address_is_no_link_any_more_and_stays_readable(text: str) -> None:
    broken = without_autolinks(text)

    assert links_in(text)
    assert links_in(broken) == []
    assert broken.replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert without_autolinks(text) == text


@pytest.fixture
def hostile(maple_with_teams: Maple) -> Appointment:
    """Book and cancel, as a client whose every text is hostile."""
    text = " ".join(HOSTILE)
    Client.objects.filter(pk=maple_with_teams.cleo.pk).update(
        name=text[:300], email="help@maple-secure.example", phone="www.maple.example"
    )
    maple_with_teams.cleo.refresh_from_db()
    appointment = maple_with_teams.book_online(method=MeetingMethod.VIDEO, client_note="\n".join(HOSTILE))
    return cancel_appointment(appointment, actor=None, through=BookedThrough.CLIENT_VIEW, reason=text)


def notification_of(appointment: Appointment, kind: NotificationKind, audience: Audience) -> Notification:
    email, before = OutboxEmail(to=["reader@maple.example"]), snapshot(appointment)
    return Notification(appointment=appointment, email=email, kind=kind, audience=audience, before=before)


def email_of(appointment: Appointment, kind: NotificationKind, audience: Audience) -> EmailMultiAlternatives:
    message = message_for(notification_of(appointment, kind, audience))
    assert message is not None
    return message


def parts_of(message: EmailMultiAlternatives) -> Iterator[tuple[str, str]]:
    """Yield name and visible text of the subject, of each part, and of the calendar file without the two addresses."""
    yield "subject", str(message.subject)
    yield "text", str(message.body)
    attached = [(content, content_type) for _name, content, content_type in message.attachments]
    for content, content_type in [*message.alternatives, *attached]:
        text = str(content)
        if content_type == "text/html":
            # A visible address across tags is a link for some programs, but not one across lines.
            yield "html", unescape(strip_tags(re.sub(r"<br>|</(?:p|td|th)>", "\n", text)))
        else:
            unfolded = text.replace("\r\n ", "")
            yield "ics", re.sub(r"(?m)^(?:ATTENDEE|ORGANIZER)[;:].*$", "", unfolded)


@pytest.mark.parametrize(("kind", "audience"), list(product(NotificationKind, Audience)))
def test_no_email_or_calendar_file_has_a_link_of_a_stranger(
    hostile: Appointment, kind: NotificationKind, audience: Audience
) -> None:
    for method in MeetingMethod:
        Appointment.objects.update(method=method)
        found = {name: links_in(text) for name, text in parts_of(email_of(hostile, kind, audience))}
        has_no_file = kind == NotificationKind.REMINDER and audience != Audience.OLD_EMAIL
        parts = ["subject", "text", "html", *([] if has_no_file else ["ics"])]
        assert found == {part: [] for part in parts}


def test_an_email_about_several_appointments_has_no_link_of_a_stranger(hostile: Appointment) -> None:
    changed = [notification_of(hostile, NotificationKind.CHANGED, Audience.STAFF) for _time in range(2)]

    found = {name: links_in(text) for name, text in parts_of(summary_for(changed))}

    assert found == {"subject": [], "text": [], "html": [], "ics": []}


CALENDARS = (
    "https://calendar.google.com/calendar/render?action=TEMPLATE&amp;",
    "https://outlook.live.com/calendar/0/deeplink/compose?path=",
)


def test_every_link_of_an_email_is_our_own_or_a_calendars(hostile: Appointment) -> None:
    for kind, audience in product(NotificationKind, Audience):
        alternatives = email_of(hostile, kind, audience).alternatives
        html = next(str(content) for content, content_type in alternatives if content_type == "text/html")
        links = re.findall(r'href="(.*?)"', html)
        assert all(link.startswith((f"{settings.BASE_URL}/", "tel:", *CALENDARS)) for link in links)


def test_pages_make_no_link_of_a_strangers_text(hostile: Appointment, as_sky: Browser) -> None:
    addresses = [
        reverse("manage-appointment", args=[hostile.manage_token]),
        reverse("appointment", args=[hostile.pk]),
        reverse("client-list"),
        reverse("client-edit", args=[hostile.client_id]),
    ]

    for address in addresses:
        links = re.findall(r'href="(.*?)"', as_sky.get(address).content.decode())
        # The staff member's page has links to write to the client and to call them. No number is in this one's phone.
        own = [f"mailto:{hostile.client.email}", "tel:"]
        assert [link for link in links if not link.startswith(("/", "#", "?", f"{settings.BASE_URL}/"))] == [
            link for link in links if link in own
        ]
