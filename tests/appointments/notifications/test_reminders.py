"""Reminders: once, to those who need one, and only while they are of use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.db import connection

from appointments.email_settings_models import EmailSettings, OwnReminders, ReminderRule
from appointments.models import Appointment, Audience, Notification, NotificationKind
from appointments.notifications import reminders
from appointments.notifications.messages import message_for
from appointments.notifications.reminders import enqueue_reminders
from staff.models import OutboxEmail
from staff.outbox import send_waiting
from tests.appointments.conftest import Maple, monday
from tests.appointments.mailbox import cancel, move, sent_to
from tests.factories import make_client, make_service
from tests.outbox import email_server_down, retry_all, send_all

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]


@pytest.fixture
def booked(maple: Maple) -> Appointment:
    """An appointment on Monday at ten. Its emails were sent."""
    rule(maple, 24 * 60)
    return told(maple)


def told(maple: Maple, **changes: Any) -> Appointment:
    appointment = maple.book(**changes)
    send_all()
    mail.outbox.clear()
    return appointment


def rule(maple: Maple, minutes: int, **fields: Any) -> ReminderRule:
    return ReminderRule.objects.create(organization=maple.organization, minutes=minutes, **fields)


def check_at(at: datetime) -> list[str]:
    """Return the subjects of the emails that are sent if beat checks at this time."""
    mail.outbox.clear()
    with time_machine.travel(at, tick=False):
        enqueue_reminders()
        send_all()
    return [str(message.subject) for message in mail.outbox]


def sunday(hour: int, minute: int = 0) -> datetime:
    return monday(hour, minute) - timedelta(days=1)


def test_the_client_is_reminded_when_the_time_has_come(booked: Appointment) -> None:
    assert check_at(sunday(9, 59)) == []
    assert len(check_at(sunday(10))) == 1

    assert mail.outbox[0].to == [booked.client.email]
    assert mail.outbox[0].subject.startswith("Reminder: ")
    assert "This is a reminder of your appointment." in str(mail.outbox[0].body)


def test_a_reminder_is_sent_once(booked: Appointment) -> None:
    assert len(check_at(sunday(10))) == 1
    assert check_at(sunday(10)) == []
    assert check_at(sunday(10, 1)) == []


@pytest.mark.django_db(transaction=True)
def test_several_workers_send_a_reminder_once(booked: Appointment) -> None:
    def check(_number: int) -> None:
        try:
            enqueue_reminders()
        finally:
            connection.close()

    with time_machine.travel(sunday(10), tick=False), ThreadPoolExecutor(4) as pool:
        list(pool.map(check, range(4)))

    assert Notification.objects.filter(kind=NotificationKind.REMINDER).count() == 1


def test_each_of_several_reminders_is_sent(maple: Maple, booked: Appointment) -> None:
    rule(maple, 120)

    assert len(check_at(sunday(10))) == 1
    assert len(check_at(monday(8))) == 1


def test_an_appointment_that_was_booked_later_is_not_reminded_of(maple: Maple) -> None:
    rule(maple, 24 * 60)
    with time_machine.travel(sunday(11), tick=False):
        told(maple)

    assert check_at(sunday(11, 1)) == []


def test_a_booking_between_two_checks_is_not_reminded_of_at_once(maple: Maple) -> None:
    rule(maple, 24 * 60)
    check_at(sunday(9))
    with time_machine.travel(sunday(10, 30), tick=False):
        told(maple)

    assert check_at(sunday(11)) == []


def test_a_new_reminder_skips_what_is_overdue(maple: Maple) -> None:
    told(maple)
    with time_machine.travel(sunday(10, 30), tick=False):
        rule(maple, 24 * 60)

    assert check_at(sunday(10, 31)) == []


def test_switching_reminders_on_sends_no_overdue_ones(maple: Maple, booked: Appointment) -> None:
    settings = EmailSettings.objects.create(organization=maple.organization, switches={"reminder_client": False})
    assert check_at(sunday(10)) == []
    settings.switches = {}
    settings.save()

    assert check_at(sunday(10, 30)) == []


def test_staff_are_reminded_if_that_is_switched_on(maple: Maple, booked: Appointment) -> None:
    EmailSettings.objects.create(organization=maple.organization, switches={"reminder_staff": True})

    assert len(check_at(sunday(10))) == 2
    assert {message.to[0] for message in mail.outbox} == {booked.client.email, maple.sam.email}


def test_after_a_pause_of_beat_the_reminder_is_still_sent(booked: Appointment) -> None:
    assert len(check_at(sunday(22))) == 1


def test_after_a_long_pause_only_the_last_due_reminder_is_sent(maple: Maple, booked: Appointment) -> None:
    rule(maple, 120)

    assert len(check_at(monday(8, 30))) == 1
    assert mail.outbox[0].to == [booked.client.email]


def test_nothing_is_sent_once_the_appointment_began(booked: Appointment) -> None:
    assert check_at(monday(10)) == []


def test_a_reminder_that_waits_past_the_start_is_dropped(booked: Appointment) -> None:
    with time_machine.travel(sunday(10), tick=False), email_server_down():
        enqueue_reminders()
        send_waiting()
    with time_machine.travel(monday(10), tick=False):
        retry_all()

    assert mail.outbox == []
    assert not OutboxEmail.objects.waiting().exists()


def test_an_appointment_cancelled_while_its_reminder_waits_is_not_reminded_of(booked: Appointment) -> None:
    with time_machine.travel(sunday(10), tick=False):
        enqueue_reminders()
        cancel(booked)
        send_all()

    assert not [message for message in mail.outbox if message.subject.startswith("Reminder")]
    assert [message for message in mail.outbox if message.subject.startswith("Appointment cancelled")]


def test_a_change_between_reading_the_facts_and_sending_is_noticed(
    booked: Appointment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build_then_cancel(reminder: Notification) -> Any:
        message = message_for(reminder)
        cancel(booked)
        return message

    monkeypatch.setattr(reminders, "message_for", build_then_cancel)

    assert not [subject for subject in check_at(sunday(10)) if subject.startswith("Reminder")]


def test_a_moved_appointment_is_reminded_of_at_its_new_time(booked: Appointment) -> None:
    with time_machine.travel(sunday(9, 59), tick=False):
        move(booked, 14)
        send_all()

    assert check_at(sunday(10)) == []
    assert len(check_at(sunday(14))) == 1
    assert "14:00" in str(mail.outbox[0].body)


def test_an_appointment_moved_after_its_reminder_gets_another_one(booked: Appointment) -> None:
    assert len(check_at(sunday(10))) == 1
    with time_machine.travel(sunday(10, 5), tick=False):
        move(booked, 14)
        send_all()

    assert len(check_at(sunday(14))) == 1


def test_the_reminder_is_in_the_zone_that_the_client_has_then(maple: Maple) -> None:
    rule(maple, 24 * 60)
    appointment = told(maple, method=2)
    appointment.client.time_zone = ZoneInfo("Asia/Tokyo")
    appointment.client.save()
    Appointment.objects.update(client_time_zone=None)

    assert len(check_at(sunday(10))) == 1
    assert "19:00" in str(mail.outbox[0].body)


def test_a_services_own_reminders_replace_the_organisations(maple: Maple, booked: Appointment) -> None:
    OwnReminders.objects.create(service=maple.review)
    rule(maple, 60, service=maple.review)

    assert check_at(sunday(10)) == []
    assert len(check_at(monday(9))) == 1


def test_a_service_may_have_no_reminders(maple: Maple, booked: Appointment) -> None:
    OwnReminders.objects.create(service=maple.review)

    assert check_at(sunday(10)) == []


def test_the_reminders_of_other_services_and_organisations_stay_apart(maple: Maple, booked: Appointment) -> None:
    other = make_service(maple.organization, "Mortgage")
    OwnReminders.objects.create(service=other)
    rule(maple, 26 * 60, service=other)

    assert check_at(sunday(8)) == []


def test_both_hours_of_a_night_when_clocks_go_back_are_distinguished(maple: Maple) -> None:
    rule(maple, 60)
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2027, 10, 31, 2, 30, tzinfo=berlin)
    second = first.replace(fold=1)
    told(maple, starts_at=first.astimezone(UTC), outside_hours=True)
    told(maple, starts_at=second.astimezone(UTC), outside_hours=True, client=make_client(maple.organization, "Di"))

    with time_machine.travel(datetime(2027, 10, 30, tzinfo=UTC), tick=False):
        enqueue_reminders()
    assert len(check_at(datetime(2027, 10, 30, 23, 30, tzinfo=UTC))) == 1
    assert len(check_at(datetime(2027, 10, 31, 0, 30, tzinfo=UTC))) == 1


def test_a_clock_that_jumped_ahead_and_back_costs_no_reminder_and_repeats_none(
    maple: Maple, booked: Appointment
) -> None:
    assert len(check_at(sunday(11))) == 1
    with time_machine.travel(sunday(8), tick=False):
        told(maple, starts_at=monday(12), client=make_client(maple.organization, "Di"))

    assert check_at(sunday(8, 1)) == []
    assert len(check_at(sunday(12))) == 1


def test_a_batch_that_is_full_is_continued(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reminders, "BATCH", 1)
    rule(maple, 24 * 60)
    told(maple)
    told(maple, starts_at=monday(11), client=make_client(maple.organization, "Di"))

    assert len(check_at(sunday(11))) == 2


def test_an_error_in_one_rule_stops_no_other(
    maple: Maple, booked: Appointment, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = rule(maple, 30 * 60)

    def fail_for_broken(rule: ReminderRule, now: datetime) -> Any:
        if rule.pk == broken.pk:
            raise ValueError("broken")
        return due_appointments(rule, now)

    due_appointments = reminders.due_appointments
    monkeypatch.setattr(reminders, "due_appointments", fail_for_broken)

    assert len(check_at(sunday(10))) == 1


def test_a_reminder_brings_no_calendar_entry(booked: Appointment) -> None:
    check_at(sunday(10))

    message = sent_to(booked.client.email)
    assert "text/calendar" not in [part.get_content_type() for part in message.walk()]


def test_a_client_without_an_address_gets_none_and_holds_up_no_other(
    maple: Maple, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "BATCH", 1)
    rule(maple, 24 * 60)
    told(maple, client=make_client(maple.organization, "Di", email=""))
    told(maple, starts_at=monday(11))

    assert len(check_at(sunday(11))) == 1


def test_the_previous_staff_member_is_not_reminded_after_a_reassignment(
    maple: Maple, booked: Appointment, tess: Any
) -> None:
    EmailSettings.objects.create(
        organization=maple.organization, switches={"reminder_staff": True, "reminder_client": False}
    )
    with time_machine.travel(sunday(10), tick=False):
        enqueue_reminders()
        Appointment.objects.filter(pk=booked.pk).update(staff=tess)
        send_all()

    assert Audience.STAFF in Notification.objects.values_list("audience", flat=True)
    assert mail.outbox == []
