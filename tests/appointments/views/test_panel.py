"""Running an appointment from its page or the schedule's panel: status, notes, and what colleagues change."""

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
    """Began an hour ago, on the day that the clock shows."""
    return make_appointment(maple.review, maple.sam, maple.cleo, NOW.replace(hour=11))


def address(name: str, appointment: Appointment) -> str:
    return reverse(name, args=[appointment.pk])


def press(browser: Browser, appointment: Appointment, status: str, *, version: int | None = None):
    if version is None:
        version = Appointment.objects.get(pk=appointment.pk).version
    return browser.post(
        address("appointment-status", appointment), {"status": status, "version": version}, follow=True
    )


def buttons(page) -> list[str]:
    return [status.value for status in page.context["next_statuses"]]


def said(page) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def test_the_panel_is_the_page_without_what_is_around_it(booked: Appointment, as_sky: Browser):
    page = as_sky.get(address("appointment", booked))
    panel = as_sky.get(address("appointment", booked), headers=IN_PANEL)

    assert ["<html" in answer.content.decode() for answer in (page, panel)] == [True, False]
    assert ["Open as a page" in answer.content.decode() for answer in (page, panel)] == [False, True]
    assert "Cleo Brandt" in panel.content.decode()


def test_a_day_goes_arrived_start_complete(booked: Appointment, as_sky: Browser):
    at_first = buttons(as_sky.get(address("appointment", booked)))
    later = [buttons(press(as_sky, booked, status)) for status in ("arrived", "in_progress", "served")]

    booked.refresh_from_db()
    assert booked.status == Status.SERVED
    assert at_first == ["arrived", "in_progress", "no_show"]
    assert later == [["in_progress", "no_show"], ["served"], []]


def test_a_slip_is_taken_back(booked: Appointment, as_sky: Browser):
    press(as_sky, booked, "no_show")

    press(as_sky, booked, "undo")

    booked.refresh_from_db()
    assert booked.status == Status.CONFIRMED


def test_staff_run_their_own_appointments_and_no_others(maple: Maple, booked: Appointment):
    ben = make_member(maple.organization, "Ben Carter")

    answers = [press(signed_in(member), booked, "arrived").status_code for member in (ben, maple.sam)]

    booked.refresh_from_db()
    assert (answers, booked.status) == ([404, 200], Status.ARRIVED)


def test_who_was_second_reads_who_was_first(maple: Maple, booked: Appointment, as_sky: Browser):
    press(signed_in(maple.sam), booked, "arrived")

    page = press(as_sky, booked, "no_show", version=0)

    booked.refresh_from_db()
    assert booked.status == Status.ARRIVED
    assert said(page) == [
        "Sam Okafor changed this appointment meanwhile: The client arrived. Look at it again."
    ]


@pytest.mark.parametrize(
    "sent",
    [{}, {"status": "cancelled", "version": 0}, {"status": "confirmed", "version": 0}, {"status": "arrived"}],
)
def test_a_button_that_the_page_has_not_changes_nothing(
    booked: Appointment, as_sky: Browser, sent: dict[str, Any]
):
    page = as_sky.post(address("appointment-status", booked), sent, follow=True)

    booked.refresh_from_db()
    assert booked.status == Status.CONFIRMED
    assert said(page) == ["That button is out of date. Look at the appointment again."]


def write(browser: Browser, appointment: Appointment, **notes: str):
    seen = browser.get(address("appointment", appointment)).context["notes"]["seen"].value()
    sent = {"client_note": "", "internal_note": "", "seen": seen, **notes}
    return browser.post(address("appointment-notes", appointment), sent)


def test_both_notes_are_saved_and_stand_on_the_timeline_without_their_words(
    booked: Appointment, as_sky: Browser
):
    answer = write(as_sky, booked, client_note="Bring your passport.", internal_note="VIP 🥥")

    booked.refresh_from_db()
    assert answer.status_code == 303
    assert (booked.client_note, booked.internal_note) == ("Bring your passport.", "VIP 🥥")
    assert [event_text(event) for event in booked.events.all()] == ["Notes changed."]


def test_a_note_leaves_the_version_so_that_it_does_not_refuse_a_move(booked: Appointment, as_sky: Browser):
    write(as_sky, booked, internal_note="VIP")

    press(as_sky, booked, "arrived", version=booked.version)

    booked.refresh_from_db()
    assert booked.status == Status.ARRIVED


def test_who_writes_second_keeps_what_they_typed_and_sees_what_stands(
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


def test_saving_what_is_so_already_tells_nothing(booked: Appointment, as_sky: Browser):
    write(as_sky, booked)

    assert not AppointmentEvent.objects.exists()


def test_notes_are_text_and_no_markup(booked: Appointment, as_sky: Browser):
    write(as_sky, booked, internal_note="<script>alert(1)</script>")

    content = as_sky.get(address("appointment", booked)).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in content
    assert "<script>alert" not in content


def test_a_note_that_is_too_long_keeps_what_was_typed(booked: Appointment, as_sky: Browser):
    answer = write(as_sky, booked, internal_note="x" * 5001)

    assert answer.context["notes"].errors["internal_note"] == [
        "Ensure this value has at most 5000 characters (it has 5001)."
    ]
    assert "x" * 5001 in answer.content.decode()


def news(browser: Browser, appointment: Appointment, seen: str):
    return browser.get(address("appointment-news", appointment), {"seen": seen})


def test_there_are_no_news_while_nothing_changed(booked: Appointment, as_sky: Browser):
    seen = as_sky.get(address("appointment", booked)).context["seen"]

    answer = news(as_sky, booked, seen)

    assert (answer.status_code, answer.content) == (204, b"")


def test_a_colleagues_click_is_news_of_every_part(maple: Maple, booked: Appointment, as_sky: Browser):
    seen = as_sky.get(address("appointment", booked)).context["seen"]
    press(signed_in(maple.sam), booked, "arrived")

    content = news(as_sky, booked, seen).content.decode()

    assert "The client arrived." in content
    assert [f'id="{part}"' in content for part in ("run", "link", "notes", "history")] == [True] * 4
    assert content.count("hx-swap-oob") == 3


def test_a_clients_new_phone_number_is_news(maple: Maple, booked: Appointment, as_sky: Browser):
    seen = as_sky.get(address("appointment", booked)).context["seen"]
    maple.cleo.phone = "+1 555 0199"
    maple.cleo.save()

    assert "+1 555 0199" in news(as_sky, booked, seen).content.decode()


def test_the_client_is_reached_by_email_and_phone_and_has_a_page(
    maple: Maple, booked: Appointment, as_sky: Browser
):
    content = as_sky.get(address("appointment", booked)).content.decode()

    for link in (
        f'href="mailto:{maple.cleo.email}"',
        'href="tel:+1 555 0100"',
        f'href="{reverse("client-edit", args=[maple.cleo.pk])}"',
    ):
        assert link in content


def test_the_cancel_form_keeps_the_reason_when_it_is_refused(maple: Maple, as_sky: Browser):
    over = make_appointment(maple.review, maple.sam, maple.cleo, NOW.replace(hour=8))

    page = as_sky.post(address("appointment-cancel", over), {"reason": "Ill 🥥", "version": 0})

    assert page.context["form"].non_field_errors() == ["This appointment is over. Book a new one."]
    assert 'value="Ill 🥥"' in page.content.decode()


def test_the_reason_of_cancelling_stands_on_the_page(maple: Maple, as_sky: Browser):
    appointment = maple.book()

    as_sky.post(address("appointment-cancel", appointment), {"reason": "Sam is ill.", "version": 0})
    page = as_sky.get(address("appointment", appointment))

    assert "<dd>Sam is ill.</dd>" in page.content.decode()
    assert (buttons(page), page.context["may_change"]) == ([], False)


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_page_takes_the_same_queries_however_much_happened(
    maple: Maple, as_sky: Browser, how_many: int, django_assert_num_queries
):
    appointment = maple.book(client=make_client(maple.organization, "Zoë"), method=MeetingMethod.AT_LOCATION)
    for number in range(how_many - 1):
        write(as_sky, appointment, internal_note=str(number))

    # Session, member, appointment, timeline, mails.
    with django_assert_num_queries(5):
        as_sky.get(address("appointment", appointment))
