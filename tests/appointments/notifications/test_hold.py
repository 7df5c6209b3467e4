"""Emails about changes wait a little, so that changes in quick succession become one email."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db.models.functions import Now

from appointments.changes.switch_service import switch_to_video
from appointments.models import Appointment, Audience, Notification
from appointments.notifications.outbox import HOLD, SUMMARY_EMAIL
from integrations.models import Connection
from services.models import MeetingMethod, ServiceAssignment
from staff.models import EmailState, OutboxEmail
from staff.outbox import send_waiting
from tests.appointments.conftest import Maple, monday
from tests.appointments.mailbox import cancel, move
from tests.factories import make_appointment, make_match
from tests.outbox import send_all

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]


def told(maple: Maple, **changes: Any) -> Appointment:
    """An appointment, booked with `changes`, whose confirmation was sent."""
    booked = maple.book(**changes)
    assert send_waiting() == 2
    mail.outbox.clear()
    return booked


def let_hold_pass() -> None:
    OutboxEmail.objects.waiting().update(due_at=Now())


def test_a_confirmation_is_sent_at_once(maple: Maple) -> None:
    maple.book()

    assert send_waiting() == 2


def test_an_email_about_a_change_waits(maple: Maple) -> None:
    move(told(maple))

    assert send_waiting() == 0
    held = OutboxEmail.objects.waiting()
    assert held.filter(due_at__gt=Now() + HOLD - timedelta(seconds=20), due_at__lte=Now() + HOLD).count() == 2


def test_changes_in_quick_succession_are_one_email_about_the_last_state(maple: Maple) -> None:
    booked = told(maple)
    move(booked, 11)
    move(booked, 12)
    move(booked, 13)
    let_hold_pass()
    send_waiting()

    to_client, to_staff = mail.outbox
    for message in (to_client, to_staff):
        assert "13:00" in message.body
        assert "11:00" not in message.body


def test_a_change_that_is_undone_in_time_leads_to_no_email(maple: Maple) -> None:
    booked = told(maple)
    move(booked, 11)
    move(booked, 10)

    assert not OutboxEmail.objects.waiting().exists()


def test_a_change_joins_the_waiting_emails_of_a_version_that_stored_no_link(
    maple: Maple, maple_with_teams: Maple
) -> None:
    booked = told(maple, method=MeetingMethod.VIDEO)
    move(booked, 11)
    for waiting in Notification.objects.filter(email__state=EmailState.WAITING):
        assert waiting.before is not None
        del waiting.before["staff_link"]
        waiting.save()

    move(booked, 10)

    # The link that the staff member knows is unknown, so they get the present one.
    assert [each.to for each in OutboxEmail.objects.waiting()] == [[maple.sam.email]]


def test_further_changes_do_not_prolong_the_wait(maple: Maple) -> None:
    booked = told(maple)
    move(booked, 11)
    OutboxEmail.objects.waiting().update(due_at=Now() - timedelta(seconds=1))
    move(booked, 12)

    assert send_waiting() == 2


def test_a_change_before_the_confirmation_was_sent_does_not_delay_it(maple: Maple) -> None:
    move(maple.book(), 11)

    assert send_waiting() == 2


# --- Bulk changes -----------------------------------------------------------------------------------------


@pytest.fixture
def in_person(maple: Maple, maple_with_teams: Maple) -> list[Appointment]:
    """Three appointments of Sam whose confirmations were sent."""
    times = (monday(9), monday(11), monday(13))
    return [make_appointment(maple.review, maple.sam, maple.cleo, at) for at in times]


def summaries() -> list[OutboxEmail]:
    return list(OutboxEmail.objects.filter(kind=SUMMARY_EMAIL.name))


def test_a_bulk_change_is_one_email_to_the_staff_member(maple: Maple, in_person: list[Appointment]) -> None:
    switch_to_video(in_person, actor=maple.sky)
    send_all()

    to_sam = [message for message in mail.outbox if message.to == [maple.sam.email]]
    assert [message.subject for message in to_sam] == ["3 appointments changed"]
    for time in ("09:00", "11:00", "13:00"):
        assert time in to_sam[0].body
    assert to_sam[0].body.count("Video Call") == 3
    assert len([message for message in mail.outbox if message.to == [maple.cleo.email]]) == 3


def test_the_summary_has_one_calendar_file_with_every_appointment(maple: Maple, in_person: list[Appointment]) -> None:
    switch_to_video(in_person, actor=maple.sky)
    send_all()

    (to_sam,) = [message for message in mail.outbox if message.to == [maple.sam.email]]
    ((name, content, kind),) = to_sam.attachments
    assert (name, kind) == ("appointments.ics", "text/calendar; method=PUBLISH")
    assert content.count("BEGIN:VEVENT") == content.count("SEQUENCE:1") == 3


def test_a_second_submit_joins_the_summary(maple: Maple, in_person: list[Appointment]) -> None:
    switch_to_video(in_person[:1], actor=maple.sky)
    switch_to_video(in_person[1:], actor=maple.sky)

    (summary,) = summaries()
    assert summary.notifications.count() == 3


def test_staff_members_get_separate_summaries(maple: Maple, in_person: list[Appointment]) -> None:
    ServiceAssignment.objects.create(service=maple.review, staff=maple.sky)
    make_match(Connection.objects.get(), maple.sky)
    skys = [make_appointment(maple.review, maple.sky, maple.cleo, at) for at in (monday(9), monday(11))]

    switch_to_video([*in_person, *skys], actor=maple.sky)

    assert {(*each.to, each.notifications.count()) for each in summaries()} == {
        (maple.sam.email, 3),
        (maple.sky.email, 2),
    }


def test_a_summary_of_one_appointment_is_the_usual_email(maple: Maple, in_person: list[Appointment]) -> None:
    switch_to_video(in_person[:1], actor=maple.sky)
    send_all()

    (to_sam,) = [message for message in mail.outbox if message.to == [maple.sam.email]]
    assert to_sam.subject.startswith("Appointment changed: ")


def test_a_later_change_takes_its_appointment_out_of_the_summary(maple: Maple, in_person: list[Appointment]) -> None:
    switch_to_video(in_person, actor=maple.sky)
    cancel(in_person[0])
    send_all()

    to_sam = [message.subject.partition(":")[0] for message in mail.outbox if message.to == [maple.sam.email]]
    assert sorted(to_sam) == ["2 appointments changed", "Appointment cancelled"]


def test_a_summary_that_concerns_no_appointment_any_more_is_not_sent(
    maple: Maple, in_person: list[Appointment]
) -> None:
    switch_to_video(in_person[:1], actor=maple.sky)
    cancel(in_person[0])

    assert summaries() == []
    assert Notification.objects.filter(audience=Audience.STAFF).count() == 1


def test_each_change_has_its_email_even_if_the_process_ends_before_the_last_one(
    maple: Maple, in_person: list[Appointment]
) -> None:
    def two_then_killed() -> Iterator[Appointment]:
        yield from in_person[:2]
        raise SystemExit

    with pytest.raises(SystemExit):
        switch_to_video(two_then_killed(), actor=maple.sky)

    (summary,) = summaries()
    assert (summary.state, summary.notifications.count()) == (EmailState.WAITING, 2)
    assert Appointment.objects.filter(method=MeetingMethod.VIDEO).count() == 2
