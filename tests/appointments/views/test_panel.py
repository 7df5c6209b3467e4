"""Page and panel of an appointment: status, notes, and updates after changes by colleagues."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment, AppointmentEvent, Status
from appointments.timeline import event_text
from services.models import MeetingMethod
from tests.appointments.conftest import NOW, Maple
from tests.cast import signed_in
from tests.factories import make_appointment, make_client, make_member

pytestmark = pytest.mark.usefixtures("friday")
IN_PANEL = {"HX-Request": "true"}


@pytest.fixture
def booked(maple: Maple) -> Appointment:
    """An appointment of today that began an hour ago."""
    return make_appointment(maple.review, maple.sam, maple.cleo, NOW.replace(hour=11))


def address(name: str, appointment: Appointment) -> str:
    return reverse(name, args=[appointment.pk])


def press(browser: Browser, appointment: Appointment, status: str, *, version: int | None = None):
    if version is None:
        version = Appointment.objects.get(pk=appointment.pk).version
    return browser.post(address("appointment-status", appointment), {"status": status, "version": version}, follow=True)


def buttons(page) -> list[str]:
    return [status.value for status in page.context["next_statuses"]]


def said(page) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def test_the_panel_is_the_page_without_its_layout(booked: Appointment, as_sky: Browser):
    page = as_sky.get(address("appointment", booked))
    panel = as_sky.get(address("appointment", booked), headers=IN_PANEL)

    assert ["<html" in response.content.decode() for response in (page, panel)] == [True, False]
    assert ["Open as a page" in response.content.decode() for response in (page, panel)] == [False, True]
    assert "Cleo Brandt" in panel.content.decode()


def test_the_status_goes_from_arrived_to_complete(booked: Appointment, as_sky: Browser):
    at_first = buttons(as_sky.get(address("appointment", booked)))
    later = [buttons(press(as_sky, booked, status)) for status in ("arrived", "in_progress", "served")]

    booked.refresh_from_db()
    assert booked.status == Status.SERVED
    assert at_first == ["arrived", "in_progress", "no_show"]
    assert later == [["in_progress", "no_show"], ["served"], []]


def test_a_status_change_can_be_undone(booked: Appointment, as_sky: Browser):
    press(as_sky, booked, "no_show")

    press(as_sky, booked, "undo")

    booked.refresh_from_db()
    assert booked.status == Status.CONFIRMED


def test_staff_can_change_only_their_own_appointments(maple: Maple, booked: Appointment):
    ben = make_member(maple.organization, "Ben Carter")

    responses = [press(signed_in(member), booked, "arrived").status_code for member in (ben, maple.sam)]

    booked.refresh_from_db()
    assert (responses, booked.status) == ([404, 200], Status.ARRIVED)


def test_the_second_user_reads_who_was_first(maple: Maple, booked: Appointment, as_sky: Browser):
    press(signed_in(maple.sam), booked, "arrived")

    page = press(as_sky, booked, "no_show", version=0)

    booked.refresh_from_db()
    assert booked.status == Status.ARRIVED
    assert said(page) == ["Sam Okafor changed this appointment meanwhile: The client arrived. Look at it again."]


@pytest.mark.parametrize(
    "sent",
    [{}, {"status": "cancelled", "version": 0}, {"status": "confirmed", "version": 0}, {"status": "arrived"}],
)
def test_an_unknown_status_changes_nothing(booked: Appointment, as_sky: Browser, sent: dict[str, Any]):
    page = as_sky.post(address("appointment-status", booked), sent, follow=True)

    booked.refresh_from_db()
    assert booked.status == Status.CONFIRMED
    assert said(page) == ["That button is out of date. Look at the appointment again."]


def write(browser: Browser, appointment: Appointment, **notes: str):
    seen = browser.get(address("appointment", appointment)).context["notes"]["seen"].value()
    sent = {"client_note": "", "internal_note": "", "seen": seen, **notes}
    return browser.post(address("appointment-notes", appointment), sent)


def test_both_notes_are_saved_and_the_timeline_omits_their_text(booked: Appointment, as_sky: Browser):
    response = write(as_sky, booked, client_note="Bring your passport.", internal_note="VIP 🥥")

    booked.refresh_from_db()
    assert response.status_code == 303
    assert (booked.client_note, booked.internal_note) == ("Bring your passport.", "VIP 🥥")
    assert [event_text(event) for event in booked.events.all()] == ["Notes changed."]


def test_a_note_keeps_the_version_so_that_a_move_still_works(booked: Appointment, as_sky: Browser):
    write(as_sky, booked, internal_note="VIP")

    press(as_sky, booked, "arrived", version=booked.version)

    booked.refresh_from_db()
    assert booked.status == Status.ARRIVED


def test_the_second_writer_keeps_their_input_and_sees_the_saved_notes(
    maple: Maple, booked: Appointment, as_sky: Browser
):
    seen = as_sky.get(address("appointment", booked)).context["notes"]["seen"].value()
    write(signed_in(maple.sam), booked, internal_note="Sam's")

    refused = write(as_sky, booked, internal_note="Sky's", seen=seen)
    again = refused.context["notes"]["seen"].value()
    content = refused.content.decode()
    saved = write(as_sky, booked, internal_note="Sky's and Sam's", seen=again)

    booked.refresh_from_db()
    assert "Sam Okafor changed the notes meanwhile." in content
    assert "Sky&#x27;s</textarea>" in content
    assert "<dd>Sam&#x27;s</dd>" in content
    assert (saved.status_code, booked.internal_note) == (303, "Sky's and Sam's")


def test_saving_unchanged_notes_records_nothing(booked: Appointment, as_sky: Browser):
    write(as_sky, booked)

    assert not AppointmentEvent.objects.exists()


def test_notes_are_escaped(booked: Appointment, as_sky: Browser):
    write(as_sky, booked, internal_note="<script>alert(1)</script>")

    content = as_sky.get(address("appointment", booked)).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in content
    assert "<script>alert" not in content


def test_a_note_that_is_too_long_keeps_the_input(booked: Appointment, as_sky: Browser):
    response = write(as_sky, booked, internal_note="x" * 5001)

    assert response.context["notes"].errors["internal_note"] == [
        "Ensure this value has at most 5000 characters (it has 5001)."
    ]
    assert "x" * 5001 in response.content.decode()


def poll(browser: Browser, appointment: Appointment, seen: str):
    return browser.get(address("appointment-news", appointment), {"seen": seen})


def test_the_poll_is_204_while_nothing_changed(booked: Appointment, as_sky: Browser):
    seen = as_sky.get(address("appointment", booked)).context["seen"]

    response = poll(as_sky, booked, seen)

    assert (response.status_code, response.content) == (204, b"")


def test_a_colleagues_change_updates_every_part(maple: Maple, booked: Appointment, as_sky: Browser):
    seen = as_sky.get(address("appointment", booked)).context["seen"]
    press(signed_in(maple.sam), booked, "arrived")

    content = poll(as_sky, booked, seen).content.decode()

    assert "The client arrived." in content
    assert [f'id="{part}"' in content for part in ("appointment-summary", "link", "notes", "history")] == [True] * 4
    assert content.count("hx-swap-oob") == 3


def test_a_clients_new_phone_number_updates_the_page(maple: Maple, booked: Appointment, as_sky: Browser):
    seen = as_sky.get(address("appointment", booked)).context["seen"]
    maple.cleo.phone = "+1 555 0199"
    maple.cleo.save()

    assert "+1 555 0199" in poll(as_sky, booked, seen).content.decode()


def test_the_page_links_to_the_clients_email_phone_and_page(maple: Maple, booked: Appointment, as_sky: Browser):
    content = as_sky.get(address("appointment", booked)).content.decode()

    for link in (
        f'href="mailto:{maple.cleo.email}"',
        'href="tel:+15550100"',
        f'href="{reverse("client-edit", args=[maple.cleo.pk])}"',
    ):
        assert link in content


def test_a_refused_cancellation_keeps_the_reason(maple: Maple, as_sky: Browser):
    over = make_appointment(maple.review, maple.sam, maple.cleo, NOW.replace(hour=8))

    page = as_sky.post(address("appointment-cancel", over), {"reason": "Ill 🥥", "version": 0})

    assert page.context["form"].non_field_errors() == ["This appointment is over. Book a new one."]
    assert 'value="Ill 🥥"' in page.content.decode()


def test_the_page_shows_the_reason_of_a_cancellation(maple: Maple, as_sky: Browser):
    appointment = maple.book()

    as_sky.post(address("appointment-cancel", appointment), {"reason": "Sam is ill.", "version": 0})
    page = as_sky.get(address("appointment", appointment))

    assert "<dd>Sam is ill.</dd>" in page.content.decode()
    assert (buttons(page), page.context["may_change"]) == ([], False)


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_page_takes_the_same_queries_for_any_number_of_events(
    maple: Maple, as_sky: Browser, how_many: int, django_assert_num_queries
):
    appointment = maple.book(client=make_client(maple.organization, "Zoë"), method=MeetingMethod.AT_LOCATION)
    for number in range(how_many - 1):
        write(as_sky, appointment, internal_note=str(number))

    # Session, member, appointment, timeline, emails, bounce.
    with django_assert_num_queries(8):
        as_sky.get(address("appointment", appointment))
