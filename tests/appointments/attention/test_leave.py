"""Appointments that need attention and are left as they are."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.attention.conditions import needing_attention, with_cause
from appointments.attention.daily_email import ATTENTION_EMAIL, email_attention
from appointments.changes.move import move_appointment
from appointments.models import Appointment, AppointmentEventKind, BookedThrough
from appointments.timeline import event_text
from staff.hours import add_time_off, remove_time_off
from staff.models import OutboxEmail, TimeOff
from tests.appointments.conftest import Maple, monday
from tests.cast import signed_in
from tests.factories import make_location

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]

LIST = reverse("attention")


@pytest.fixture
def orphaned(maple: Maple) -> Appointment:
    """An appointment of Cleo with Sam, who is off then."""
    booked = maple.book()
    add_time_off(maple.sam, starts_at=monday(0), ends_at=monday(12), reason="")
    return booked


def leave(browser: Browser, appointment: Appointment, cause: str = "time_off", query: str = ""):
    return browser.post(reverse("appointment-leave", args=[appointment.pk]) + query, {"cause": cause})


def is_listed(appointment: Appointment) -> bool:
    return appointment in needing_attention(appointment.organization)


def test_it_leaves_the_list_and_the_daily_email(maple: Maple, orphaned: Appointment, as_sky: Browser) -> None:
    shown = as_sky.get(LIST).text

    response = leave(as_sky, orphaned, query="?back=list")
    email_attention()

    assert "Leave as it is" in shown
    assert (response.status_code, response["Location"]) == (303, LIST)
    assert not is_listed(orphaned)
    assert not OutboxEmail.objects.filter(kind=ATTENTION_EMAIL.name).exists()


def test_the_timeline_says_who_left_it(maple: Maple, orphaned: Appointment, as_sky: Browser) -> None:
    leave(as_sky, orphaned)

    event = orphaned.events.get(kind=AppointmentEventKind.LEFT_AS_IT_IS)
    assert (event.actor, event_text(event)) == (maple.sky, "Left as it is, although it needed attention.")
    page = as_sky.get(reverse("appointment", args=[orphaned.pk])).text
    assert "Needs attention:" not in page


def test_another_reason_brings_it_back(maple: Maple, orphaned: Appointment, as_sky: Browser) -> None:
    leave(as_sky, orphaned)

    maple.sam.is_active = False
    maple.sam.save()

    assert is_listed(orphaned)


def test_the_same_reason_again_brings_it_back(
    maple: Maple, orphaned: Appointment, as_sky: Browser, as_ada: Browser
) -> None:
    leave(as_sky, orphaned)
    remove_time_off(maple.sam, TimeOff.objects.get().pk)

    as_ada.post(reverse("staff-time-off", args=[maple.sam.pk]), {"first_day": "2026-11-30", "affected": "leave"})

    assert TimeOff.objects.exists()
    assert is_listed(orphaned)


def test_a_move_brings_it_back_if_it_still_needs_attention(
    maple: Maple, orphaned: Appointment, as_sky: Browser
) -> None:
    leave(as_sky, orphaned)
    move_appointment(orphaned, starts_at=monday(13), actor=maple.sky, through=BookedThrough.SCHEDULE)

    add_time_off(maple.sam, starts_at=monday(12), ends_at=monday(15), reason="")

    assert is_listed(orphaned)


def test_a_reason_that_the_page_did_not_show_is_not_left(maple: Maple, orphaned: Appointment, as_sky: Browser) -> None:
    response = leave(as_sky, orphaned, cause="left")

    assert is_listed(orphaned)
    assert not orphaned.events.filter(kind=AppointmentEventKind.LEFT_AS_IT_IS).exists()
    assert response["Location"] == reverse("appointment", args=[orphaned.pk])


def test_staff_have_no_such_button(maple: Maple, orphaned: Appointment) -> None:
    browser = signed_in(maple.sam)

    assert "Leave as it is" not in browser.get(reverse("appointment", args=[orphaned.pk])).text
    assert leave(browser, orphaned).status_code == 403


def test_a_closed_location_is_a_reason_with_a_sentence(maple: Maple, as_sky: Browser) -> None:
    branch = make_location(maple.organization)
    maple.book(location=branch, outside_hours=True)
    branch.active = False
    branch.save()

    [(appointment, reason, _result)] = as_sky.get(LIST).context["rows"]

    assert reason == "Main Street is closed."
    assert with_cause(Appointment.objects.all()).get().cause == "location_closed"  # type: ignore[attr-defined]
    assert leave(as_sky, appointment, "location_closed").status_code == 303
    assert not is_listed(appointment)
