"""Links to Google Calendar, Outlook and the calendar file."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from appointments.absolute_urls import calendar_file_url, join_url, manage_url
from appointments.models import Audience
from appointments.notifications.calendar_links import CalendarFacts, calendar_facts_of, calendar_links
from services.models import MeetingMethod
from tests.appointments.conftest import Maple

LAST_HOUR_TWICE = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/Toronto"), fold=1)
FACTS = CalendarFacts(
    title="Mortgage & more 🏠, Maple",
    starts_at=LAST_HOUR_TWICE,
    ends_at=LAST_HOUR_TWICE.replace(hour=2, minute=0, fold=0),
    place="1 Main Street",
    details="With Sam\nBring: 50% + ID",
    file_url="https://coconut.example/entry.ics",
)


def parameters(link: str) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(link).query, strict_parsing=True).items()}


def test_google_gets_moments_in_utc_and_every_character() -> None:
    google = parameters(calendar_links(FACTS).google)

    assert google["dates"] == "20261101T063000Z/20261101T070000Z"
    assert (google["text"], google["details"], google["location"]) == (FACTS.title, FACTS.details, FACTS.place)


def test_outlook_gets_moments_in_utc_and_no_plus_signs_for_spaces() -> None:
    link = calendar_links(FACTS).outlook

    assert "+" not in link
    outlook = parameters(link)
    assert (outlook["startdt"], outlook["enddt"]) == ("2026-11-01T06:30:00Z", "2026-11-01T07:00:00Z")
    assert (outlook["subject"], outlook["body"], outlook["location"]) == (FACTS.title, FACTS.details, FACTS.place)


def test_long_details_are_cut() -> None:
    long = CalendarFacts("Review", FACTS.starts_at, FACTS.ends_at, "", "word " * 1000)

    assert max(len(link) for link in calendar_links(long)) < 2000


@pytest.mark.usefixtures("friday")
def test_each_reader_gets_their_own_links(maple_with_teams: Maple) -> None:
    booked = maple_with_teams.book(method=MeetingMethod.VIDEO)
    client, staff = [
        calendar_links(calendar_facts_of(booked, audience)) for audience in (Audience.CLIENT, Audience.STAFF)
    ]

    assert parameters(client.google)["location"] == join_url(booked)
    assert client.ics == calendar_file_url(booked)
    assert manage_url(booked) not in "".join(parameters(client.google).values())
    assert booked.join_token not in staff.google + staff.outlook
    assert staff.ics == ""
