"""Erasing a client: nothing about them is left anywhere in the database."""

from __future__ import annotations

from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.apps import apps
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.urls import reverse

from appointments.booking_rules.errors import BookingError
from appointments.bulk_change_models import BulkChangeItem
from appointments.changes.notes import notes_fingerprint, write_notes
from appointments.changes.status import cancel_appointment
from appointments.client_view.book import same_client
from appointments.client_view.form_tokens import reference_of
from appointments.models import Appointment, AppointmentEvent, AppointmentEventKind, Client, Notification, Status
from appointments.privacy.client_data import CLIENT_DATA
from appointments.privacy.erasure import NotErasable, erase_client
from appointments.timeline import Fact, event_text, record_event
from integrations.meetings.sync import sync_meeting
from integrations.models import Meeting
from services.models import MeetingMethod
from staff.models import EmailState, OutboxEmail
from tests.appointments.conftest import NOW, Maple, monday
from tests.appointments.mailbox import move
from tests.appointments.privacy_walk import columns_containing
from tests.outbox import send_all

pytestmark = pytest.mark.usefixtures("friday")

NAME, EMAIL, PHONE = "Xanthippe Quillfeather", "xanthippe@quillfeather.example", "+1 555 7316925"
#: Texts that occur nowhere else. The last one is a time zone.
UNUSUAL = [NAME, EMAIL, "7316925", "quillfeather", "Antarctica/Troll"]
LATER = NOW + timedelta(days=30)


@pytest.fixture
def xanthippe(maple: Maple) -> Client:
    return Client.objects.create(
        organization=maple.organization, name=NAME, email=EMAIL, phone=PHONE, time_zone=ZoneInfo("Antarctica/Troll")
    )


def full_history(maple: Maple, client: Client, monkeypatch: pytest.MonkeyPatch) -> Appointment:
    """Book by video with notes, move, fail to send an email, and cancel with a reason. Each names the client."""
    appointment = maple.book_online(
        client=client,
        method=MeetingMethod.VIDEO,
        client_note=f"I am {NAME}",
        client_time_zone=ZoneInfo("Antarctica/Troll"),
        request_key=f"key-of-{EMAIL}"[:64],
    )
    sync_meeting(Meeting.objects.get().pk)
    send_all()
    write_notes(
        appointment,
        client_note=appointment.client_note,
        internal_note=f"{NAME} called from {PHONE}",
        actor=maple.sky,
        seen=notes_fingerprint(appointment),
    )
    move(appointment)
    refuse_emails(monkeypatch)
    cancel_appointment(appointment, actor=maple.sky, through="schedule", reason=f"{NAME} is ill")
    send_all()
    monkeypatch.undo()
    note = Fact(AppointmentEventKind.LINK_FAILED, {"reason": {"code": "unknown", "params": {"who": NAME}}})
    record_event(appointment, Fact(AppointmentEventKind.NOTES_CHANGED), note)
    return appointment


def refuse_emails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse each email for good, with an error that quotes the address."""

    def refuse(message: EmailMultiAlternatives, **kwargs: Any) -> int:
        raise SMTPRecipientsRefused({message.to[0]: (550, b"unknown")})

    monkeypatch.setattr(EmailMultiAlternatives, "send", refuse)


def past_appointment(maple: Maple, client: Client, **changes: Any) -> Appointment:
    """Book, send the emails and go to a time after the appointment: the caller travels to LATER."""
    appointment = maple.book(client=client, **changes)
    send_all()
    return appointment


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


def test_nothing_about_an_erased_client_is_left_in_any_column(
    maple_with_teams: Maple, xanthippe: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_history(maple_with_teams, xanthippe, monkeypatch)
    before = columns_containing(UNUSUAL)

    erase_client(xanthippe, actor=None)

    assert columns_containing(UNUSUAL) == {}
    # The search finds what an erasure must remove, in all kinds of columns.
    assert before.keys() >= {
        "appointments_client.name",
        "appointments_client.email",
        "appointments_client.phone",
        "appointments_client.time_zone",
        "appointments_client.search_text",
        "appointments_appointment.client_note",
        "appointments_appointment.internal_note",
        "appointments_appointment.cancel_reason",
        "appointments_appointment.client_time_zone",
        "appointments_appointment.request_key",
        "appointments_appointmentevent.params",
        "staff_outboxemail.to",
        "staff_outboxemail.error",
    }


def test_the_appointment_stays_without_the_client(
    maple_with_teams: Maple, xanthippe: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = full_history(maple_with_teams, xanthippe, monkeypatch)
    kept = ["service_id", "staff_id", "method", "booked_through", "created_at"]

    erase_client(xanthippe, actor=None)

    after = Appointment.objects.get()
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert (after.starts_at, after.status, str(after.client)) == (monday(14), Status.CANCELLED, "Erased client")


def test_a_colleagues_client_and_emails_are_untouched(maple: Maple, xanthippe: Client) -> None:
    theirs = maple.book(starts_at=monday(12), client_note="Bring the papers")
    past_appointment(maple, xanthippe)

    with at(LATER):
        erase_client(xanthippe, actor=None)

    theirs.refresh_from_db()
    maple.cleo.refresh_from_db()
    assert (maple.cleo.name, theirs.client_note, theirs.notifications.count()) == ("Cleo Brandt", "Bring the papers", 2)


def test_an_email_to_the_staff_member_stays(maple: Maple, xanthippe: Client) -> None:
    past_appointment(maple, xanthippe)

    with at(LATER):
        erase_client(xanthippe, actor=None)

    assert [email.to for email in OutboxEmail.objects.all()] == [[maple.sam.email]]


def test_the_timeline_keeps_what_happened_without_its_details(maple: Maple, xanthippe: Client) -> None:
    appointment = past_appointment(maple, xanthippe)
    move(appointment)
    send_all()

    with at(LATER):
        erase_client(xanthippe, actor=None)

    events = AppointmentEvent.objects.order_by("pk")
    assert [(event.kind, event_text(event)) for event in events] == [("booked", "Booked."), ("moved", "Moved.")]


def test_a_client_with_an_upcoming_appointment_is_not_erased(maple: Maple, xanthippe: Client) -> None:
    past_appointment(maple, xanthippe)

    with pytest.raises(NotErasable, match=r"This client has 1 upcoming appointment\. Cancel it first\."):
        erase_client(xanthippe, actor=None)

    assert Client.objects.get(pk=xanthippe.pk).name == NAME


def test_a_client_is_not_erased_before_the_emails_are_sent(maple: Maple, xanthippe: Client) -> None:
    cancel_appointment(past_appointment(maple, xanthippe), actor=maple.sky, through="schedule")

    with pytest.raises(NotErasable, match="still being sent"):
        erase_client(xanthippe, actor=None)
    send_all()
    erase_client(xanthippe, actor=None)

    assert not OutboxEmail.objects.filter(to=[EMAIL]).exists()


def test_an_email_that_failed_does_not_stop_an_erasure(maple: Maple, xanthippe: Client) -> None:
    past_appointment(maple, xanthippe)
    OutboxEmail.objects.update(state=EmailState.FAILED)

    with at(LATER):
        erase_client(xanthippe, actor=None)

    assert not OutboxEmail.objects.filter(to=[EMAIL]).exists()


def test_a_client_is_erased_once(maple: Maple, xanthippe: Client) -> None:
    erase_client(xanthippe, actor=None)

    with pytest.raises(Client.DoesNotExist):
        erase_client(xanthippe, actor=None)


def test_an_erased_client_cannot_be_booked(maple: Maple, xanthippe: Client) -> None:
    erase_client(xanthippe, actor=None)

    with pytest.raises(BookingError, match="data was erased"):
        maple.book(client=xanthippe)

    assert not Appointment.objects.exists()


def test_an_appointment_of_an_erased_client_cannot_get_new_notes(maple: Maple, xanthippe: Client) -> None:
    appointment = past_appointment(maple, xanthippe)
    with at(LATER):
        erase_client(xanthippe, actor=None)

        with pytest.raises(BookingError, match="data was erased"):
            write_notes(
                appointment,
                client_note="",
                internal_note=NAME,
                actor=maple.sky,
                seen=notes_fingerprint(appointment),
            )

    assert columns_containing([NAME]) == {}


def test_a_client_who_books_again_with_the_same_email_is_a_new_client(maple: Maple, xanthippe: Client) -> None:
    details = {"name": NAME, "email": EMAIL, "phone": ""}
    found = same_client(details, maple.organization.pk)

    erase_client(xanthippe, actor=None)

    assert (found, same_client(details, maple.organization.pk)) == (xanthippe, None)


@pytest.mark.parametrize(("name", "token"), [("manage-appointment", "manage_token"), ("join", "join_token")])
def test_private_links_of_an_erased_client_are_unknown(
    maple: Maple, xanthippe: Client, client: Browser, name: str, token: str
) -> None:
    appointment = past_appointment(maple, xanthippe)
    address = reverse(name, args=[getattr(appointment, token)])
    unknown = client.get(reverse(name, args=[uuid4().hex]))

    with at(LATER):
        before = client.get(address).status_code
        erase_client(xanthippe, actor=None)
        after = client.get(address)

    assert (before, after.status_code, after.content) == (200, 404, unknown.content)


def test_the_confirmation_page_of_an_erased_client_has_expired(
    maple: Maple, xanthippe: Client, client: Browser
) -> None:
    appointment = past_appointment(maple, xanthippe)
    cancel_appointment(appointment, actor=None, through="client_view")
    send_all()
    page = reverse("book-booked", args=[maple.organization.slug, reference_of(appointment)])

    erase_client(xanthippe, actor=None)

    assert client.get(page).status_code == 404


def test_the_database_refuses_an_erased_client_with_data(maple: Maple, xanthippe: Client) -> None:
    with pytest.raises(IntegrityError, match="erased_client_is_blank"), transaction.atomic():
        Client.objects.filter(pk=xanthippe.pk).update(erased_at=NOW)


def test_every_table_that_points_at_a_client_or_an_appointment_is_erased() -> None:
    """A new table must be added to CLIENT_DATA."""
    pointing = {
        model
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model in (Client, Appointment)
    }

    # A notification has no text about the client. The client's emails are deleted, and their notifications with them.
    # An item of a bulk change has an outcome, but no text.
    assert pointing - {data.model for data in CLIENT_DATA} == {Notification, BulkChangeItem}


#: Text and JSON columns of rows about a client that say nothing about the client.
KEPT = {
    (Client, "search_text"),  # generated from columns that are erased
    (Appointment, "public_id"),  # a random name of the appointment
    (Appointment, "status"),
    (Appointment, "left_cause"),
    (Appointment, "booked_through"),
    # The start on the clock of the branch or the staff member.
    (Appointment, "local_start"),
    (Appointment, "local_zone"),
    # The staff member's own links.
    (Appointment, "staff_join_token"),
    (Appointment, "personal_meeting_url"),
    (Appointment, "personal_meeting_note"),
    (AppointmentEvent, "kind"),
    (AppointmentEvent, "through"),
    (AppointmentEvent, "once"),
}


def test_every_text_about_a_client_is_either_erased_or_kept_on_purpose() -> None:
    """A new column of these tables must be added to CLIENT_DATA or to KEPT."""
    plain = ("BigAutoField", "ForeignKey", "OneToOneField", "DateTimeField", "PositiveIntegerField")
    small = ("PositiveSmallIntegerField", "BooleanField")
    about_clients = {model: blank for model, blank in ((data.model, data.blank) for data in CLIENT_DATA) if blank}
    del about_clients[Meeting]

    undecided = {
        (model, field.name)
        for model, blank in about_clients.items()
        for field in model._meta.concrete_fields
        if field.get_internal_type() not in plain + small and field.name not in blank
    }

    assert undecided == KEPT
