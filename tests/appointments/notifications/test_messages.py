"""Content of emails and of their calendar entries."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appointments.absolute_urls import join_url, manage_url, staff_join_url, staff_url
from appointments.changes.move import reassign_appointment
from appointments.models import Audience, BookedThrough, Client, Notification
from integrations.models import UserMatch
from services.models import MeetingMethod
from staff.models import EmailState as State
from staff.models import StaffMember, VideoChoice
from tests.appointments.conftest import Maple, monday
from tests.appointments.mailbox import cancel, event_of, move, part, sent_to
from tests.factories import make_location, make_match
from tests.outbox import send_all

PARTS = ("text/plain", "text/html", "text/calendar")

pytestmark = pytest.mark.usefixtures("friday")


# --- content of emails -----------------------------------------------------------------------------
def test_the_client_reads_times_in_their_own_zone(maple: Maple) -> None:
    maple.cleo.time_zone = ZoneInfo("America/Toronto")
    maple.cleo.save()
    maple.book()
    send_all()

    when = "Monday, 30 November 2026, 05:00 – 05:30, Toronto time (EST)"
    message = sent_to("cleo@example.com")
    assert [when in part(message, kind) for kind in ("text/plain", "text/html")] == [True, True]


def test_a_client_without_a_zone_reads_times_in_the_organisations_zone(maple: Maple) -> None:
    maple.organization.time_zone = ZoneInfo("Europe/Vienna")
    maple.organization.save()
    maple.book()
    send_all()

    assert "11:00 – 11:30, Vienna time (CET)" in part(sent_to("cleo@example.com"), "text/plain")


def test_staff_read_times_in_their_own_zone(maple: Maple) -> None:
    maple.book()
    maple.sam.time_zone = ZoneInfo("Asia/Tokyo")
    maple.sam.save()
    send_all()

    assert "19:00 – 19:30, Tokyo time (JST)" in part(sent_to("sam@maple.example"), "text/plain")


def test_everyone_reads_the_times_of_a_branch_on_its_clock(maple: Maple) -> None:
    vancouver = make_location(maple.organization, "Vancouver", time_zone=ZoneInfo("America/Vancouver"))
    booked = maple.book(location=vancouver, starts_at=monday(16), client_time_zone=ZoneInfo("Australia/Sydney"))
    send_all()

    for address in (booked.client.email, maple.sam.email):
        assert "Monday, 30 November 2026, 09:00 – 09:30, Vancouver time (MST)" in part(sent_to(address), "text/plain")


def test_an_end_after_a_clock_change_has_its_own_abbreviation(maple: Maple) -> None:
    StaffMember.objects.update(time_zone=ZoneInfo("America/Toronto"))
    maple.sam.refresh_from_db()
    maple.review.duration = 60
    maple.review.booking_horizon_days = 400
    maple.review.save()
    maple.book(starts_at=datetime(2027, 11, 7, 5, 30, tzinfo=UTC), outside_hours=True)
    send_all()

    text = part(sent_to(maple.sam.email), "text/plain")
    assert "Sunday, 7 November 2027, 01:30 EDT – 01:30 EST, Toronto time (EDT)" in text


def test_the_email_has_our_join_link_with_the_platforms_label(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)
    send_all()

    links = {"cleo@example.com": join_url(appointment), "sam@maple.example": staff_join_url(appointment)}
    for address, link in links.items():
        message = sent_to(address)
        assert f"Join Microsoft Teams meeting:\n{link}" in part(message, "text/plain")
        button = f'<a [^>]*href="{link}"[^>]*><strong>Join Microsoft Teams meeting</strong></a>'
        assert re.search(button, part(message, "text/html"))


def test_client_and_staff_member_have_join_links_of_their_own(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)
    send_all()

    found = {
        address: {token for token in (appointment.join_token, appointment.staff_join_token) if token in text}
        for address in ("cleo@example.com", "sam@maple.example")
        for text in ["".join(part(sent_to(address), kind) for kind in PARTS)]
    }
    assert found == {"cleo@example.com": {appointment.join_token}, "sam@maple.example": {appointment.staff_join_token}}


def test_the_previous_staff_member_gets_no_join_link(maple_with_teams: Maple, tess: StaffMember) -> None:
    make_match(UserMatch.objects.get().connection, tess)
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)
    send_all()
    reassign_appointment(appointment, staff=tess, actor=maple_with_teams.sky, through=BookedThrough.SCHEDULE)
    send_all()

    message = sent_to("sam@maple.example")
    assert event_of(message)[0]["METHOD"] == "CANCEL"
    assert not any("/join/" in part(message, kind) for kind in PARTS)


def test_links_are_absolute(maple: Maple, settings: Any) -> None:
    settings.BASE_URL = "https://coconut.example"
    appointment = maple.book()

    assert (join_url(appointment), manage_url(appointment), staff_url(appointment)) == (
        f"https://coconut.example/join/{appointment.join_token}",
        f"https://coconut.example/appointments/{appointment.manage_token}/",
        f"https://coconut.example/schedule/appointments/{appointment.pk}/",
    )


def test_a_personal_link_is_not_called_teams(maple_with_teams: Maple) -> None:
    sam = maple_with_teams.sam
    sam.video_choice, sam.personal_meeting_url = VideoChoice.PERSONAL, "https://meet.example/sam"
    sam.save()
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)
    send_all()

    assert f"Join video call:\n{join_url(appointment)}" in part(sent_to("cleo@example.com"), "text/plain")


def test_only_the_body_of_the_clients_email_has_the_manage_link(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)
    send_all()

    token = appointment.manage_token
    client, staff = sent_to("cleo@example.com"), sent_to("sam@maple.example")
    assert [token in part(client, kind) for kind in ("text/plain", "text/html", "text/calendar")] == [
        True,
        True,
        False,
    ]
    assert not any(token in str(one.get_content()) for one in staff.walk() if not one.is_multipart())


def test_staff_read_the_notes_and_how_to_reach_the_client(maple: Maple) -> None:
    appointment = maple.book(client_note="First house", internal_note="VIP")
    send_all()

    body = part(sent_to("sam@maple.example"), "text/plain")
    assert [
        line in body
        for line in (
            "Client: Cleo Brandt",
            "Phone: +1 555 0100",
            "First house",
            "VIP",
            staff_url(appointment),
        )
    ] == [True] * 5


def test_the_client_does_not_read_the_notes(maple: Maple) -> None:
    maple.book(client_note="First house", internal_note="VIP")
    send_all()

    body = sent_to("cleo@example.com").as_string()
    assert ("First house" in body, "VIP" in body) == (False, False)


def test_user_input_is_escaped_in_html_and_unchanged_in_text(maple: Maple) -> None:
    maple.cleo.name = "<b>Cleo & Co</b>"
    maple.cleo.save()
    maple.book(client_note="<script>alert(1)</script>")
    send_all()

    staff = sent_to("sam@maple.example")
    assert "&lt;script&gt;" in part(staff, "text/html")
    assert "<script>" not in part(staff, "text/html")
    assert "Hello <b>Cleo & Co</b>," in part(sent_to("cleo@example.com"), "text/plain")
    assert "Hello &lt;b&gt;Cleo &amp; Co&lt;/b&gt;," in part(sent_to("cleo@example.com"), "text/html")


def test_no_name_can_add_a_header(maple: Maple) -> None:
    maple.cleo.name = "Cleo\r\nBcc: everybody@example.com"
    maple.cleo.save()
    maple.book()
    send_all()

    message = sent_to("sam@maple.example")
    assert message["Bcc"] is None
    assert message["Subject"] == ("Appointment confirmed: Mortgage review, Cleo Bcc: everybody@ example. com")


def test_an_address_that_is_no_valid_header_fails_alone(maple: Maple) -> None:
    maple.book()
    Client.objects.update(email="cleo@example.com\nBcc: all@example.com")

    send_all()

    assert dict(Notification.objects.values_list("audience", "email__state")) == {
        Audience.CLIENT: State.FAILED,
        Audience.STAFF: State.SENT,
    }


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        (move, "Appointment moved: Mortgage review, Maple Credit Union"),
        (cancel, "Appointment cancelled: Mortgage review, Maple Credit Union"),
    ],
)
def test_the_subject_says_what_happened(change: Any, subject: str, maple: Maple) -> None:
    appointment = maple.book()
    send_all()
    change(appointment)
    send_all()

    assert sent_to("cleo@example.com")["Subject"] == subject


def test_a_cancelled_appointment_offers_nothing_to_join_or_manage(maple_with_teams: Maple) -> None:
    appointment = cancel(maple_with_teams.book(method=MeetingMethod.VIDEO))
    send_all()

    body = part(sent_to("cleo@example.com"), "text/plain")
    assert (appointment.join_token in body, appointment.manage_token in body) == (False, False)


# --- calendar entry -----------------------------------------------------------------------------
def test_the_calendar_entry_is_an_invitation_with_the_join_link(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)
    send_all()

    calendar, event = event_of(sent_to("cleo@example.com"))
    assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("REQUEST", "CONFIRMED", 0)
    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (monday(10), monday(10, 30))
    assert (event["SUMMARY"], event["LOCATION"], event["URL"]) == (
        "Mortgage review, Maple Credit Union",
        join_url(appointment),
        join_url(appointment),
    )
    assert event["DESCRIPTION"] == (f"With Sam Okafor\nJoin Microsoft Teams meeting: {join_url(appointment)}")
    assert event["ATTENDEE"] == "mailto:cleo@example.com"
    assert (event["ORGANIZER"], event["ORGANIZER"].params["CN"]) == (
        "mailto:no-reply@localhost",
        "Maple Credit Union",
    )


def test_moves_and_the_cancel_replace_the_same_entry(maple: Maple, settings: Any) -> None:
    appointment = maple.book()
    send_all()
    entries = [event_of(sent_to("cleo@example.com"))]
    for change in (move, cancel):
        change(appointment)
        settings.BASE_URL = "https://moved.example"
        send_all()
        entries.append(event_of(sent_to("cleo@example.com")))

    assert {str(event["UID"]) for _, event in entries} == {str(appointment.public_id)}
    assert [(str(calendar["METHOD"]), event["SEQUENCE"]) for calendar, event in entries] == [
        ("REQUEST", 0),
        ("REQUEST", 1),
        ("CANCEL", 2),
    ]
    assert entries[-1][1]["STATUS"] == "CANCELLED"


def test_the_calendar_part_names_its_method(maple: Maple) -> None:
    maple.book()
    send_all()

    message = sent_to("cleo@example.com")
    calendar = next(one for one in message.walk() if one.get_content_type() == "text/calendar")
    assert (calendar.get_param("method"), calendar.get_content_charset()) == ("REQUEST", "utf-8")
    assert [one.get_filename() for one in message.iter_attachments()] == ["appointment.ics"]


def test_the_entry_of_an_in_person_appointment_has_the_location(maple: Maple) -> None:
    maple.book(location=make_location(maple.organization, street="12 Main St, Unit 3; rear"))
    send_all()

    message = sent_to("cleo@example.com")
    assert event_of(message)[1]["LOCATION"] == "Main Street, 12 Main St, Unit 3; rear"
    assert "Location: Main Street, 12 Main St, Unit 3; rear" in part(message, "text/plain")


def test_the_entries_of_a_phone_call_have_the_number(maple: Maple) -> None:
    maple.book(method=MeetingMethod.PHONE)
    send_all()

    described = {to: str(event_of(sent_to(to))[1]["DESCRIPTION"]) for to in ("cleo@example.com", "sam@maple.example")}
    assert described == {
        "cleo@example.com": "With Sam Okafor\nWe call you at +1 555 0100.",
        "sam@maple.example": "With Cleo Brandt\nCall +1 555 0100.",
    }


def test_the_staff_members_entry_names_the_client(maple: Maple) -> None:
    maple.cleo.name = "Zoë, BEGIN:VALARM\r\nX"
    maple.cleo.save()
    maple.book()
    send_all()

    calendar, event = event_of(sent_to("sam@maple.example"))
    assert event["SUMMARY"] == "Mortgage review, Zoë, BEGIN: VALARM X"
    assert [component.name for component in calendar.walk()] == ["VCALENDAR", "VEVENT", "VALARM"]


def test_an_organisations_name_may_hold_quotes_and_colons(maple: Maple) -> None:
    maple.organization.name = 'Maple: "the" Union; Ltd, \n& Sons'
    maple.organization.save()
    maple.book()
    send_all()

    organizer = event_of(sent_to("cleo@example.com"))[1]["ORGANIZER"]
    assert organizer.params["CN"] == "Maple: 'the' Union; Ltd, & Sons"
