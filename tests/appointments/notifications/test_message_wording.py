"""Text of each email about a change, line by line."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail

from appointments.absolute_urls import join_url, manage_url, staff_join_url, staff_url
from appointments.changes.meeting_method import change_method
from appointments.changes.move import move_appointment, reassign_appointment
from appointments.changes.status import cancel_appointment
from appointments.models import Appointment, BookedThrough, Client
from integrations.models import UserMatch
from services.models import MeetingMethod
from staff.models import StaffMember
from tests.appointments.conftest import Maple, monday
from tests.appointments.mailbox import event_of, part, sent_to
from tests.factories import make_location, make_match
from tests.outbox import send_all

pytestmark = pytest.mark.usefixtures("friday")

CLIENT, STAFF, NEW = "cleo@example.com", "sam@maple.example", "tess@maple.example"
SUBJECT = "Mortgage review, Maple Credit Union"


@pytest.fixture
def maple(maple_with_teams: Maple, tess: StaffMember) -> Maple:
    """Return people in three time zones: Cleo in Toronto, Sam in Vienna, Tess in Tokyo. Sam and Tess host on Teams."""
    make_match(UserMatch.objects.get().connection, tess)
    StaffMember.objects.filter(pk=maple_with_teams.sam.pk).update(time_zone="Europe/Vienna")
    StaffMember.objects.filter(pk=tess.pk).update(time_zone="Asia/Tokyo")
    Client.objects.filter(pk=maple_with_teams.cleo.pk).update(time_zone="America/Toronto")
    for who in (maple_with_teams.sam, tess, maple_with_teams.cleo):
        who.refresh_from_db()
    return maple_with_teams


@pytest.fixture
def booked(maple: Maple) -> Appointment:
    """Book a video call with Sam on Monday at 10:00 UTC and send its emails."""
    return told(maple.book(method=MeetingMethod.VIDEO))


def told(appointment: Appointment) -> Appointment:
    send_all()
    mail.outbox.clear()
    return appointment


def read(address: str) -> tuple[str, list[str]]:
    """Send waiting emails; return the subject and the non-empty lines of the one to an address."""
    send_all()
    message = sent_to(address)
    lines = part(message, "text/plain").splitlines()
    return message["Subject"], [line for line in lines if line.strip()]


def entry(address: str) -> tuple[str, int]:
    """Return METHOD and SEQUENCE of the calendar entry in the email to an address."""
    calendar, event = event_of(sent_to(address))
    return str(calendar["METHOD"]), event["SEQUENCE"]


def join_lines(appointment: Appointment) -> list[str]:
    return ["Join Microsoft Teams meeting:", join_url(appointment)]


def staff_join_lines(appointment: Appointment) -> list[str]:
    return ["Join Microsoft Teams meeting:", staff_join_url(appointment)]


def manage_lines(appointment: Appointment) -> list[str]:
    return [
        "Cannot make it? Move or cancel your appointment:",
        manage_url(appointment),
        "That link is yours alone: anyone who has it can move and cancel the appointment.",
        "Maple Credit Union",
    ]


ABOUT_CLEO = ["Client: Cleo Brandt", "Email: cleo@ example. com", "Phone: +1 555 0100"]
SAME_LINK = "This is the link you already have."


def change(maple: Maple, do: Any, appointment: Appointment, **changes: Any) -> Appointment:
    changed: Appointment = do(appointment, actor=maple.sky, through=BookedThrough.SCHEDULE, **changes)
    return changed


def test_an_email_about_a_move_has_the_previous_time_in_the_readers_zone(maple: Maple, booked: Appointment) -> None:
    moved = change(maple, move_appointment, booked, starts_at=monday(14))

    assert read(CLIENT) == (
        f"Appointment moved: {SUBJECT}",
        [
            "Hello Cleo Brandt,",
            "Your appointment has a new time.",
            "When: Monday, 30 November 2026, 09:00 – 09:30, Toronto time (EST)",
            "(before: Monday, 30 November 2026, 05:00 – 05:30)",
            "Service: Mortgage review",
            "With: Sam Okafor",
            "Meeting method: Video Call",
            *join_lines(moved),
            SAME_LINK,
            *manage_lines(moved),
        ],
    )
    assert read(STAFF) == (
        "Appointment moved: Mortgage review, Cleo Brandt",
        [
            "An appointment of yours has a new time.",
            "When: Monday, 30 November 2026, 15:00 – 15:30, Vienna time (CET)",
            "(before: Monday, 30 November 2026, 11:00 – 11:30)",
            "Service: Mortgage review",
            "Staff member: Sam Okafor",
            "Meeting method: Video Call",
            *ABOUT_CLEO,
            *staff_join_lines(moved),
            SAME_LINK,
            "Open the appointment:",
            staff_url(moved),
        ],
    )
    assert (entry(CLIENT), entry(STAFF)) == (("REQUEST", 1), ("REQUEST", 1))


def test_the_html_part_has_the_same_content(maple: Maple, booked: Appointment) -> None:
    change(maple, move_appointment, booked, starts_at=monday(14))
    send_all()

    html = part(sent_to(CLIENT), "text/html")
    assert (
        "<bdi>Monday, 30 November 2026, 09:00 – 09:30, Toronto time (EST)</bdi>"
        "<br>before: <s>Monday, 30 November 2026, 05:00 – 05:30</s></td>"
    ) in html
    assert f"{join_url(booked)}<br>{SAME_LINK}</p>" in html


def test_a_reassign_emails_the_client_and_both_staff_members(
    maple: Maple, booked: Appointment, tess: StaffMember
) -> None:
    after = change(maple, reassign_appointment, booked, staff=tess, outside_hours=True)

    assert read(CLIENT) == (
        f"Appointment reassigned: {SUBJECT}",
        [
            "Hello Cleo Brandt,",
            "Your appointment is with Tess Moor now.",
            "When: Monday, 30 November 2026, 05:00 – 05:30, Toronto time (EST)",
            "Service: Mortgage review",
            "With: Tess Moor",
            "(before: Sam Okafor)",
            "Meeting method: Video Call",
            *join_lines(after),
            SAME_LINK,
            *manage_lines(after),
        ],
    )
    assert read(NEW) == (
        "Appointment reassigned: Mortgage review, Cleo Brandt",
        [
            "You have taken over an appointment from Sam Okafor.",
            "When: Monday, 30 November 2026, 19:00 – 19:30, Tokyo time (JST)",
            "Service: Mortgage review",
            "Staff member: Tess Moor",
            "Meeting method: Video Call",
            *ABOUT_CLEO,
            *staff_join_lines(after),
            "Open the appointment:",
            staff_url(after),
        ],
    )
    assert (entry(CLIENT), entry(NEW)) == (("REQUEST", 1), ("REQUEST", 1))


def test_the_previous_staff_member_reads_the_time_they_knew_in_their_own_zone(
    maple: Maple, booked: Appointment, tess: StaffMember
) -> None:
    change(maple, move_appointment, booked, starts_at=monday(14), staff=tess, outside_hours=True)

    assert read(STAFF) == (
        "Appointment reassigned: Mortgage review, Cleo Brandt",
        [
            "Tess Moor has taken over this appointment.",
            "When: Monday, 30 November 2026, 11:00 – 11:30, Vienna time (CET)",
            "Service: Mortgage review",
            "Staff member: Tess Moor",
            "(before: Sam Okafor)",
            "Meeting method: Video Call",
            "Client: Cleo Brandt",
        ],
    )
    assert entry(STAFF) == ("CANCEL", 1)


def test_a_reassign_that_is_undone_before_its_emails_are_sent_brings_the_staff_member_a_new_link(
    maple: Maple, booked: Appointment, tess: StaffMember
) -> None:
    reassigned = change(maple, reassign_appointment, booked, staff=tess, outside_hours=True)
    undone = change(maple, reassign_appointment, reassigned, staff=maple.sam, outside_hours=True)

    subject, lines = read(STAFF)

    assert subject == "Appointment changed: Mortgage review, Cleo Brandt"
    assert lines[-5:] == [
        *staff_join_lines(undone),
        "This link is new. The earlier one no longer works.",
        "Open the appointment:",
        staff_url(undone),
    ]
    assert [one.to for one in mail.outbox] == [[STAFF]]


def test_a_phone_call_that_becomes_a_video_call_brings_the_link(maple: Maple) -> None:
    appointment = told(maple.book(method=MeetingMethod.PHONE))

    changed = change(maple, change_method, appointment, method=MeetingMethod.VIDEO)

    assert read(CLIENT) == (
        f"Appointment changed: {SUBJECT}",
        [
            "Hello Cleo Brandt,",
            "Your appointment has changed. This is how it is now:",
            "When: Monday, 30 November 2026, 05:00 – 05:30, Toronto time (EST)",
            "Service: Mortgage review",
            "With: Sam Okafor",
            "Meeting method: Video Call",
            "(before: Phone Call)",
            *join_lines(changed),
            *manage_lines(changed),
        ],
    )
    assert read(STAFF)[1][:1] == ["An appointment of yours has changed. This is how it is now:"]
    assert (entry(CLIENT), entry(STAFF)) == (("REQUEST", 1), ("REQUEST", 1))


def test_a_video_call_that_becomes_another_one_says_that_there_is_nothing_to_join(
    maple: Maple, booked: Appointment
) -> None:
    place = make_location(maple.organization, street="12 Main St", time_zone=ZoneInfo("America/Toronto"))

    changed = change(maple, change_method, booked, method=MeetingMethod.AT_LOCATION, location=place)

    nothing = "This is no longer a video call, so there is nothing to join."
    assert read(CLIENT)[1][2:] == [
        "When: Monday, 30 November 2026, 05:00 – 05:30, Toronto time (EST)",
        "Service: Mortgage review",
        "With: Sam Okafor",
        "Meeting method: At location",
        "(before: Video Call)",
        "Location: Main Street, 12 Main St",
        "Map: https://www.google.com/maps/search/?api=1&query=12+Main+St",
        nothing,
        *manage_lines(changed),
    ]
    assert nothing in read(STAFF)[1]
    assert event_of(sent_to(CLIENT))[1].get("URL") is None


def test_an_email_about_a_phone_call_says_who_calls(maple: Maple) -> None:
    maple.book(method=MeetingMethod.PHONE)

    assert "We call you at +1 555 0100." in read(CLIENT)[1]
    assert "We call you at +1 555 0100." not in read(STAFF)[1]


def test_only_staff_read_the_reason_of_a_cancellation_by_private_link(maple: Maple, booked: Appointment) -> None:
    reason = "Confirm your account at https://maple-secure.example"
    cancel_appointment(booked, actor=None, through=BookedThrough.CLIENT_VIEW, reason=reason)

    assert not any("maple-secure" in line for line in read(CLIENT)[1])
    assert "Reason: Confirm your account at https: //maple-secure. example" in read(STAFF)[1]


def test_an_email_about_a_cancellation_has_the_reason_and_no_link(maple: Maple, booked: Appointment) -> None:
    cancelled = change(maple, cancel_appointment, booked, reason="The branch is closed.")

    assert read(CLIENT) == (
        f"Appointment cancelled: {SUBJECT}",
        [
            "Hello Cleo Brandt,",
            "Your appointment is cancelled.",
            "Reason: The branch is closed.",
            "When: Monday, 30 November 2026, 05:00 – 05:30, Toronto time (EST)",
            "Service: Mortgage review",
            "With: Sam Okafor",
            "Meeting method: Video Call",
            "Book again:",
            f"http://testserver/book/{maple.organization.slug}/?service={maple.review.pk}",
            "Maple Credit Union",
        ],
    )
    assert read(STAFF) == (
        "Appointment cancelled: Mortgage review, Cleo Brandt",
        [
            "An appointment of yours is cancelled.",
            "Reason: The branch is closed.",
            "When: Monday, 30 November 2026, 11:00 – 11:30, Vienna time (CET)",
            "Service: Mortgage review",
            "Staff member: Sam Okafor",
            "Meeting method: Video Call",
            *ABOUT_CLEO,
            "Open the appointment:",
            staff_url(cancelled),
        ],
    )
    assert (entry(CLIENT), entry(STAFF)) == (("CANCEL", 1), ("CANCEL", 1))


def test_a_cancellation_offers_no_service_that_clients_cannot_book(maple: Maple, booked: Appointment) -> None:
    maple.review.public = False
    maple.review.save()

    change(maple, cancel_appointment, booked)

    assert "Book again:" not in read(CLIENT)[1]


def test_an_unsent_change_is_merged_into_the_next_email(maple: Maple, booked: Appointment) -> None:
    moved = change(maple, move_appointment, booked, starts_at=monday(14))
    change(maple, move_appointment, moved, starts_at=monday(15))

    assert "(before: Monday, 30 November 2026, 05:00 – 05:30)" in read(CLIENT)[1]


def test_a_move_undone_before_its_email_was_sent_sends_no_email(maple: Maple, booked: Appointment) -> None:
    moved = change(maple, move_appointment, booked, starts_at=monday(14))
    change(maple, move_appointment, moved, starts_at=monday(10))
    send_all()

    assert mail.outbox == []


def test_a_client_reads_no_name_of_a_person_who_left(maple: Maple, booked: Appointment, tess: StaffMember) -> None:
    StaffMember.objects.filter(pk=maple.sam.pk).update(is_active=False)
    booked.refresh_from_db()

    change(maple, reassign_appointment, booked, staff=tess, outside_hours=True)

    _subject, lines = read(CLIENT)
    assert "With: Tess Moor" in lines
    assert "Sam Okafor" not in "".join(lines)
    assert "You have taken over an appointment from Sam Okafor." in read("tess@maple.example")[1]
