"""Corrected email address of a client: new private links, sent to the new address only."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client as Browser

from appointments.booking_rules.errors import ChangedMeanwhile
from appointments.booking_rules.locks import lock_people
from appointments.changes.client_details import save_client
from appointments.changes.move import reassign_appointment
from appointments.changes.status import cancel_appointment
from appointments.models import Appointment, BookedThrough, Client, Notification
from appointments.notifications import outbox
from appointments.timeline import event_text
from integrations.models import Meeting
from services.models import MeetingMethod
from staff.models import EmailState, OutboxEmail, StaffMember
from staff.outbox import send_again, send_waiting
from tests.appointments.conftest import Maple, monday
from tests.appointments.mailbox import event_of, move, part, sent_to
from tests.factories import make_client
from tests.outbox import send_all

pytestmark = pytest.mark.usefixtures("friday")

OLD, NEW = "cleo@example.com", "cleo.brandt@example.org"


@pytest.fixture
def booked(maple_with_teams: Maple) -> Appointment:
    """Book a video call whose emails were sent."""
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)
    send_all()
    mail.outbox.clear()
    return appointment


def correct(maple: Maple, email: str = NEW) -> int:
    client = Client.objects.get(pk=maple.cleo.pk)
    client.email = email
    return save_client(client, actor=maple.sky)


def links_of(appointment: Appointment) -> tuple[str, str]:
    stored = Appointment.objects.get(pk=appointment.pk)
    return stored.manage_token, stored.join_token


def all_text(address: str) -> str:
    message = sent_to(address)
    return "".join(part(message, kind) for kind in ("text/plain", "text/html", "text/calendar"))


def test_the_earlier_links_answer_as_unknown_ones(maple: Maple, booked: Appointment) -> None:
    correct(maple)

    manage, join = links_of(booked)
    earlier = [f"/appointments/{booked.manage_token}/", f"/join/{booked.join_token}"]
    now = [f"/appointments/{manage}/", f"/join/{join}"]
    assert [Browser().get(address).status_code for address in earlier + now] == [404, 404, 200, 200]
    assert Browser().post(f"{earlier[0]}cancel/").status_code == 404


def test_the_new_address_gets_a_confirmation_with_the_new_links(maple: Maple, booked: Appointment) -> None:
    assert correct(maple) == 1
    send_all()

    message = sent_to(NEW)
    assert message["Subject"] == "Appointment confirmed: Mortgage review, Maple Credit Union"
    body, (_calendar, entry) = part(message, "text/plain"), event_of(message)
    manage, join = links_of(booked)
    assert [f"/appointments/{manage}/" in body, f"/join/{join}" in body] == [True, True]
    assert (entry["UID"], entry["SEQUENCE"], entry["ATTENDEE"]) == (str(booked.public_id), 1, f"mailto:{NEW}")
    assert [one.to for one in mail.outbox] == [[NEW], [OLD]]


def test_the_staff_members_link_and_the_meeting_stay(maple: Maple, booked: Appointment) -> None:
    meeting = Meeting.objects.values().get()

    correct(maple)

    after = Appointment.objects.get()
    assert (after.staff_join_token, after.public_id) == (booked.staff_join_token, booked.public_id)
    assert Meeting.objects.values().get() == meeting


def test_a_waiting_email_goes_to_the_new_address_only(maple: Maple) -> None:
    appointment = maple.book()
    correct(maple)
    send_all()

    assert sorted(one.to[0] for one in mail.outbox) == [NEW, "sam@maple.example"]
    assert appointment.manage_token not in all_text(NEW)


def test_an_email_that_a_worker_is_sending_never_brings_the_new_link_to_the_earlier_address(maple: Maple) -> None:
    maple.book()
    OutboxEmail.objects.filter(to=[OLD]).update(state=EmailState.SENDING)

    correct(maple)
    OutboxEmail.objects.filter(to=[OLD]).update(state=EmailState.WAITING)
    send_all()

    # The worker may have sent its email, so the entry at the earlier address ends.
    assert [one.to for one in mail.outbox if one.to != ["sam@maple.example"]] == [[NEW], [OLD]]
    manage, join = links_of(Appointment.objects.get())
    assert [link in all_text(OLD) for link in (manage, join)] == [False, False]


def test_a_booking_made_while_the_address_is_corrected_is_confirmed_to_the_new_one(maple: Maple) -> None:
    """Store a booking's email to the earlier address, as if the booking had read the client before the correction."""
    appointment = maple.book()
    Client.objects.update(email=NEW)
    send_all()

    assert appointment.manage_token in all_text(NEW)
    assert Notification.objects.get(audience="client").to == NEW
    assert event_of(sent_to(NEW))[1]["ATTENDEE"] == f"mailto:{NEW}"


def test_a_correction_while_a_worker_renders_an_email_sends_nothing_new_to_the_earlier_address(
    maple: Maple, monkeypatch: pytest.MonkeyPatch
) -> None:
    appointment = maple.book()
    has_newer = outbox._has_newer

    def correct_after_the_check(notification: Notification) -> bool:
        is_superseded = has_newer(notification)
        monkeypatch.undo()
        correct(maple)
        return is_superseded

    monkeypatch.setattr(outbox, "_has_newer", correct_after_the_check)
    send_all()

    assert {one.to[0] for one in mail.outbox} == {NEW, "sam@maple.example"}
    assert f"/appointments/{links_of(appointment)[0]}/" in all_text(NEW)


def test_a_failed_email_sent_again_goes_to_the_new_address(maple: Maple) -> None:
    maple.book()
    stuck = OutboxEmail.objects.get(to=[OLD])
    OutboxEmail.objects.filter(pk=stuck.pk).update(state=EmailState.FAILED)
    Client.objects.update(email=NEW)

    send_again(stuck)
    send_waiting()

    assert OLD not in [address for one in mail.outbox for address in one.to]
    assert sent_to(NEW)["Subject"].startswith("Appointment confirmed")


def test_the_next_change_goes_to_the_new_address_as_a_change(maple: Maple, booked: Appointment) -> None:
    correct(maple)
    send_all()
    move(Appointment.objects.get())
    send_all()

    assert sent_to(NEW)["Subject"].startswith("Appointment moved")
    assert event_of(sent_to(NEW))[1]["SEQUENCE"] == 2


def test_the_timeline_shows_the_correction_without_the_address(maple: Maple, booked: Appointment) -> None:
    correct(maple)

    line = booked.events.order_by("-pk").first()
    assert line is not None
    assert event_text(line) == "The client’s email changed. The client has new links."
    assert line.actor == maple.sky


def test_cancelled_and_past_appointments_get_new_links_and_no_email(maple: Maple) -> None:
    past = maple.book(starts_at=monday(9))
    cancelled = maple.book(starts_at=monday(14))
    cancel_appointment(cancelled, actor=maple.sky, through=BookedThrough.SCHEDULE)
    send_all()
    mail.outbox.clear()

    with time_machine.travel(monday(12), tick=False):
        assert correct(maple) == 0
        send_all()

    assert mail.outbox == []
    for appointment in (past, cancelled):
        assert links_of(appointment) != (appointment.manage_token, appointment.join_token)
    assert Appointment.objects.get(pk=past.pk).version == past.version


@pytest.mark.parametrize("email", [OLD, OLD.upper()])
def test_the_same_address_keeps_its_links(maple: Maple, booked: Appointment, email: str) -> None:
    assert correct(maple, email) == 0
    send_all()

    assert links_of(booked) == (booked.manage_token, booked.join_token)
    assert mail.outbox == []


def test_a_removed_address_ends_the_links_and_the_calendar_entry(maple: Maple, booked: Appointment) -> None:
    correct(maple, "")
    send_all()

    assert links_of(booked) != (booked.manage_token, booked.join_token)
    [message] = mail.outbox
    assert (message.to, event_of(sent_to(OLD))[0]["METHOD"]) == ([OLD], "CANCEL")


def test_another_client_keeps_their_links(maple: Maple) -> None:
    other = maple.book(client=make_client(maple.organization, "Abe Lind"))

    correct(maple)

    assert links_of(other) == (other.manage_token, other.join_token)


def test_an_appointment_reassigned_at_the_same_moment_is_a_conflict_that_saves_nothing(
    maple: Maple, tess: StaffMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    appointment = maple.book()

    def reassign_before_the_lock(*people: StaffMember) -> Any:
        reassign_appointment(appointment, staff=tess, actor=maple.sky, through=BookedThrough.SCHEDULE)
        return lock_people(*people)

    monkeypatch.setattr("appointments.changes.client_details.lock_people", reassign_before_the_lock)

    with pytest.raises(ChangedMeanwhile, match="Save again"):
        correct(maple)
    assert Client.objects.get().email == OLD
    assert links_of(appointment) == (appointment.manage_token, appointment.join_token)
