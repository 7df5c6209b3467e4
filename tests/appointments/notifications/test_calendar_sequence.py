"""Calendars of clients and staff over the life of an appointment, fed with the emails that were sent."""

from __future__ import annotations

import pytest
from django.db.models import F

from appointments.absolute_urls import join_url, manage_url, staff_join_url
from appointments.changes.client_details import save_client
from appointments.changes.meeting_method import change_method
from appointments.changes.move import reassign_appointment
from appointments.models import Appointment, BookedThrough, Client
from appointments.notifications.ics import file_of
from appointments.notifications.outbox import one_email_per_staff_member
from services.models import MeetingMethod
from staff.models import StaffMember
from tests.appointments.calendar_model import PARSERS, entries_of, received
from tests.appointments.conftest import Maple, monday
from tests.appointments.mailbox import cancel, event_of, move, sent_to
from tests.factories import make_location
from tests.outbox import send_all

CLEO, SAM, TESS = "cleo@example.com", "sam@maple.example", "tess@maple.example"
AT_ELEVEN = {"starts_at": monday(11), "ends_at": monday(12), "busy_from": monday(11), "busy_to": monday(12)}

pytestmark = pytest.mark.usefixtures("friday")


def reload(appointment: Appointment) -> Appointment:
    return Appointment.objects.with_details().get(pk=appointment.pk)


def reassign(appointment: Appointment, staff: StaffMember) -> Appointment:
    return reassign_appointment(reload(appointment), staff=staff, actor=None, through=BookedThrough.SCHEDULE)


def by_method(appointment: Appointment, method: MeetingMethod) -> Appointment:
    return change_method(reload(appointment), method=method, actor=None, through=BookedThrough.SCHEDULE)


def correct_email(maple: Maple, email: str) -> Client:
    client = Client.objects.get(pk=maple.cleo.pk)
    client.email = email
    save_client(client, actor=maple.sky)
    return client


def starts(*addresses: str) -> list[int]:
    return [entry["start"].hour for entry in entries_of(*addresses)]


def test_every_calendar_follows_a_whole_life(maple: Maple, tess: StaffMember) -> None:
    booked = maple.book()
    send_all()
    assert (starts(CLEO), starts(SAM)) == ([10], [10])

    move(booked, 14)
    send_all()
    assert (starts(CLEO), starts(SAM)) == ([14], [14])

    reassign(booked, tess)
    send_all()
    assert (starts(CLEO), starts(SAM), starts(TESS)) == ([14], [], [14])

    by_method(booked, MeetingMethod.PHONE)
    send_all()
    [client], [staff] = entries_of(CLEO), entries_of(TESS)
    assert (client["location"], staff["location"]) == ("We call you at +1 555 0100.", "Call +1 555 0100.")

    correct_email(maple, "cleo.brandt@example.com")
    send_all()
    assert (starts(CLEO), starts("cleo.brandt@example.com"), starts(TESS)) == ([], [14], [14])

    cancel(reload(booked))
    send_all()
    assert [starts(to) for to in (CLEO, "cleo.brandt@example.com", SAM, TESS)] == [[], [], [], []]


def test_an_appointment_that_comes_back_is_in_one_calendar(maple: Maple, tess: StaffMember) -> None:
    booked = maple.book()
    send_all()
    for member in (tess, maple.sam):
        reassign(booked, member)
        send_all()

    assert (starts(SAM), starts(TESS)) == ([10], [])


def test_a_move_and_a_reassignment_before_the_email_goes_out_end_the_former_entry(
    maple: Maple, tess: StaffMember
) -> None:
    booked = maple.book()
    send_all()
    move(booked, 14)
    reassign(booked, tess)
    send_all()

    assert (starts(CLEO), starts(SAM), starts(TESS)) == ([14], [], [14])


def test_silent_changes_are_made_good_by_the_next_email(maple: Maple, tess: StaffMember) -> None:
    booked = maple.book()
    send_all()
    Appointment.objects.update(staff=tess, **AT_ELEVEN, version=F("version") + 1)
    Client.objects.update(email="new@example.com")
    by_method(booked, MeetingMethod.PHONE)
    send_all()

    assert [starts(to) for to in (CLEO, "new@example.com", SAM, TESS)] == [[], [11], [], [11]]


def test_a_silent_change_is_in_a_waiting_email_with_its_sequence(maple: Maple) -> None:
    maple.book()
    Appointment.objects.update(**AT_ELEVEN, version=F("version") + 3)
    send_all()

    [entry] = entries_of(CLEO)
    assert (entry["start"].hour, entry["order"][0]) == (11, 3)


def test_a_person_who_left_gets_no_email_about_a_silent_reassignment(maple: Maple, tess: StaffMember) -> None:
    booked = maple.book()
    send_all()
    Appointment.objects.update(staff=tess)
    StaffMember.objects.filter(pk=maple.sam.pk).update(is_active=False)
    cancel(reload(booked))
    send_all()

    assert len(received([SAM])) == 1


def test_two_addresses_of_one_mailbox_keep_the_entry_in_any_order(maple: Maple) -> None:
    maple.book()
    send_all()
    correct_email(maple, "cleo.brandt@example.com")
    send_all()

    emails = received([CLEO, "cleo.brandt@example.com"])
    assert len(emails) == 3
    for order in (emails, [emails[0], emails[2], emails[1]]):
        assert [entry["start"].hour for entry in entries_of(emails=order)] == [10]


def test_the_email_to_an_earlier_address_names_no_client_and_no_link(maple_with_teams: Maple) -> None:
    booked = maple_with_teams.book(method=MeetingMethod.VIDEO)
    send_all()
    correct_email(maple_with_teams, "cleo.brandt@example.com")
    send_all()
    booked.refresh_from_db()

    text = sent_to(CLEO).as_string() + str(event_of(sent_to(CLEO)))
    for secret in ("Cleo", "Sam", "brandt", "/join/", booked.manage_token, booked.join_token):
        assert secret not in text


def test_an_address_that_got_nothing_gets_no_cancellation(maple: Maple) -> None:
    maple.book()
    correct_email(maple, "cleo.brandt@example.com")
    send_all()

    assert (received([CLEO]), starts("cleo.brandt@example.com")) == ([], [10])


def test_a_client_whose_email_was_removed_ends_with_no_entry(maple: Maple) -> None:
    maple.book()
    send_all()
    correct_email(maple, "")
    send_all()

    assert starts(CLEO) == []


def test_a_bulk_cancellation_empties_the_staff_members_calendar(maple: Maple) -> None:
    booked = [maple.book(starts_at=monday(hour)) for hour in (10, 11, 12)]
    send_all()
    with one_email_per_staff_member():
        for appointment in booked:
            cancel(appointment)
    send_all()

    assert (starts(SAM), starts(CLEO)) == ([], [])


def test_each_reader_has_their_own_link_and_the_manage_link_is_in_none(maple_with_teams: Maple) -> None:
    booked = maple_with_teams.book(method=MeetingMethod.VIDEO)
    send_all()

    [client], [staff] = entries_of(CLEO), entries_of(SAM)
    assert (client["location"], staff["location"]) == (join_url(booked), staff_join_url(booked))
    assert manage_url(booked) not in str(client) + str(staff)


def test_live_entries_ring_and_cancelled_ones_do_not(maple: Maple) -> None:
    booked = maple.book()
    send_all()
    assert [entry["alarms"] for entry in entries_of(CLEO)] == [1]

    cancel(booked)
    send_all()
    assert "VALARM" not in str(event_of(sent_to(CLEO))[1].to_ical())


def test_a_travel_reader_is_reminded_an_hour_before(maple: Maple) -> None:
    maple.book(location=make_location(maple.organization))
    send_all()

    [alarm] = event_of(sent_to(CLEO))[1].walk("VALARM")
    assert alarm.to_ical().splitlines()[-2] == b"TRIGGER:-PT1H"


@pytest.mark.parametrize(
    "name",
    ["👩‍👩‍👧‍👦" * 30, "مصرف القيقب" * 20, "a, b; c\\d\nEND:VEVENT\r\nX", "Zoë Long\x00\x07\x0b\u2028\x85X"],
    ids=["emoji", "right to left", "separators", "control characters"],
)
def test_both_parsers_read_every_text_the_same(maple: Maple, name: str) -> None:
    # A NUL can't be stored.
    maple.review.name, maple.review.confirmation_text = name.replace("\x00", "")[:200], name.replace("\x00", "")
    maple.review.save()
    maple.book()
    send_all()

    [entry] = entries_of(CLEO)
    assert " ".join(maple.review.name.split())[:8] in entry["summary"]
    [calendar] = [one for one in received([CLEO])[-1].walk() if one.get_content_type() == "text/calendar"]
    raw = calendar.get_payload(decode=True)
    assert isinstance(raw, bytes)
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert all(line.decode() is not None for line in lines)
    assert not [byte for line in lines for byte in line if byte < 32]


def test_the_alternative_and_the_attachment_are_the_same_and_name_the_method(maple: Maple) -> None:
    maple.book()
    send_all()

    [message] = received([CLEO])
    [alternative] = [one for one in message.walk() if one.get_content_type() == "text/calendar"]
    [attachment] = message.iter_attachments()
    assert alternative["Content-Type"].replace('"', "") == "text/calendar; method=REQUEST; charset=utf-8"
    assert (attachment.get_content_type(), attachment.get_filename()) == ("application/ics", "appointment.ics")
    assert alternative.get_payload(decode=True) == attachment.get_payload(decode=True)


def test_the_file_of_a_client_without_email_has_no_attendee(maple: Maple) -> None:
    Client.objects.update(email="")
    maple.cleo.refresh_from_db()
    booked = maple.book()

    for parse in PARSERS:
        [event] = parse(file_of(booked).decode())
        assert (event["method"], event["attendee"], event["status"]) == ("PUBLISH", "", "CONFIRMED")


def test_the_hour_that_comes_twice_is_unambiguous(maple: Maple) -> None:
    maple.book()
    # 01:30 EDT to 01:30 EST in Toronto.
    early = monday(10).replace(month=11, day=1, hour=5, minute=30)
    late = early.replace(hour=6)
    Appointment.objects.update(
        starts_at=early, ends_at=late, busy_from=early, busy_to=late, client_time_zone="America/Toronto"
    )
    send_all()

    [entry] = entries_of(CLEO)
    assert (entry["start"], entry["end"]) == (early, late)
