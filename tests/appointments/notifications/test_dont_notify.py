"""Changes about which the client gets no email."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client as Browser

from appointments.models import Appointment, AppointmentEventKind
from services.models import MeetingMethod
from staff.models import StaffMember
from tests.appointments.conftest import Maple
from tests.appointments.mailbox import event_of, move, sent_to
from tests.outbox import send_all

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]

PATHS: dict[str, dict[str, object]] = {
    "move": {"date": "2026-11-30", "time": "14:00"},
    "method": {"method": MeetingMethod.PHONE.value},
    "cancel": {"reason": "Told by phone"},
}


def submit(appointment: Appointment, browser: Browser, path: str, **data: object) -> None:
    values = {**PATHS.get(path, {}), "version": appointment.version, **data}
    response = browser.post(f"/schedule/appointments/{appointment.pk}/{path}/", values)
    assert response.status_code in (302, 303), response.content.decode()
    appointment.refresh_from_db()


@pytest.fixture
def booked(maple: Maple) -> Appointment:
    """An appointment whose confirmations were sent."""
    appointment = maple.book()
    send_all()
    mail.outbox.clear()
    return appointment


def readers() -> list[str]:
    send_all()
    return [message.to[0] for message in mail.outbox]


def events(appointment: Appointment) -> list[str]:
    return list(appointment.events.values_list("kind", flat=True))


@pytest.mark.parametrize("path", PATHS)
def test_only_the_staff_member_is_emailed(maple: Maple, booked: Appointment, as_sky: Browser, path: str) -> None:
    submit(booked, as_sky, path, dont_notify="on")

    assert readers() == [maple.sam.email]
    assert AppointmentEventKind.CLIENT_NOT_EMAILED in events(booked)


@pytest.mark.parametrize("path", PATHS)
def test_without_the_tick_the_client_is_emailed(maple: Maple, booked: Appointment, as_sky: Browser, path: str) -> None:
    submit(booked, as_sky, path)

    assert maple.cleo.email in readers()
    assert AppointmentEventKind.CLIENT_NOT_EMAILED not in events(booked)


def test_a_reassignment_can_spare_the_client(
    maple: Maple, booked: Appointment, as_sky: Browser, tess: StaffMember
) -> None:
    submit(booked, as_sky, "reassign", staff=tess.pk, dont_notify="on")

    assert sorted(readers()) == sorted([maple.sam.email, tess.email])


def test_the_next_email_has_the_present_facts_and_a_greater_sequence(
    maple: Maple, booked: Appointment, as_sky: Browser
) -> None:
    submit(booked, as_sky, "method", dont_notify="on")
    move(booked, 15)
    send_all()

    message = sent_to(maple.cleo.email)
    assert event_of(message)[1]["SEQUENCE"] == 2
    body = message.get_body(("plain",))
    assert body is not None
    assert "Phone" in body.get_content()


def test_an_unsent_confirmation_is_still_sent_with_the_new_time(maple: Maple, as_sky: Browser) -> None:
    submit(maple.book(), as_sky, "move", dont_notify="on")

    assert maple.cleo.email in readers()
    assert "14:00" in str(next(each.body for each in mail.outbox if each.to == [maple.cleo.email]))
