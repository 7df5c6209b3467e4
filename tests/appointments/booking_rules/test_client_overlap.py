"""A client with another appointment at the same time: staff are warned, the email says so, public pages are silent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.booking_rules.client_overlap import overlap_warning
from appointments.models import Appointment, Audience, Notification, Status
from appointments.notifications.messages import message_for
from staff.models import StaffMember
from tests.appointments import booking_payloads
from tests.appointments.conftest import Maple, monday
from tests.appointments.views.test_booking import booking_data
from tests.cast import signed_in
from tests.factories import make_appointment, make_client, make_hours, make_member

pytestmark = pytest.mark.usefixtures("friday")
OTHER = "Cleo Brandt has another appointment at this time: Mortgage review with Ben Lu, Mon 30 Nov 2026, 10:00."


@pytest.fixture
def ben(maple: Maple) -> StaffMember:
    ben = make_member(maple.organization, "Ben Lu")
    make_hours(ben)
    return ben


@pytest.fixture
def other(maple: Maple, ben: StaffMember) -> Appointment:
    """Cleo's appointment with Ben at ten."""
    return make_appointment(maple.review, ben, maple.cleo, monday(10))


def errors(page) -> dict[str, list[str]]:
    return dict(page.context["form"].errors)


def test_the_booking_form_warns_and_books_after_a_tick(maple: Maple, as_sky: Browser, other: Appointment):
    sent = booking_data(maple, time="10:00")

    page = as_sky.post(reverse("appointment-add"), sent)
    as_sky.post(reverse("appointment-add"), sent | {"client_busy_anyway": "on"})

    assert errors(page) == {"client_busy_anyway": [OTHER]}
    assert "Book anyway" in page.content.decode()
    assert maple.cleo.appointments.exclude(pk=other.pk).get().starts_at == monday(10)


def test_the_contact_center_warns_and_books_after_a_tick(maple: Maple, as_sky: Browser, other: Appointment):
    sent = booking_payloads.booking_data(maple)

    page = as_sky.post(reverse("contact-center"), sent)
    as_sky.post(reverse("contact-center"), sent | {"client_busy_anyway": "on"})

    assert errors(page) == {"client_busy_anyway": [OTHER]}
    assert "Book anyway" in page.content.decode()
    assert Appointment.objects.count() == 2


def test_a_move_warns_and_moves_after_a_tick(maple: Maple, as_sky: Browser, other: Appointment):
    booked = maple.book(starts_at=monday(14))
    address = reverse("appointment-move", args=[booked.pk])
    sent = {"date": "2026-11-30", "time": "10:00", "version": booked.version}

    page = as_sky.post(address, sent)
    unmoved = Appointment.objects.get(pk=booked.pk).starts_at
    as_sky.post(address, sent | {"client_busy_anyway": "on"})

    assert (errors(page), unmoved) == ({"client_busy_anyway": [OTHER]}, monday(14))
    assert Appointment.objects.get(pk=booked.pk).starts_at == monday(10)


def test_drag_and_drop_asks_first(maple: Maple, as_sky: Browser, other: Appointment):
    booked = maple.book(starts_at=monday(14))
    sent = {"starts_at": monday(10).isoformat(), "version": booked.version}

    answer = as_sky.post(reverse("appointment-drag", args=[booked.pk]), sent).json()

    assert answer["outcome"] == "confirm"
    assert OTHER in answer["sentences"]


def test_staff_do_not_read_whose_appointment_it_is(maple: Maple, other: Appointment):
    booked = maple.book(starts_at=monday(14))
    sent = {"starts_at": monday(10).isoformat(), "version": booked.version}

    answer = signed_in(maple.sam).post(reverse("appointment-drag", args=[booked.pk]), sent).json()

    assert "Cleo Brandt has another appointment at this time." in answer["sentences"]
    assert "Ben" not in str(answer)


@pytest.mark.parametrize("minutes", [-30, 30])
def test_an_appointment_that_touches_is_no_overlap(maple: Maple, other: Appointment, minutes: int):
    near = Appointment(
        client=maple.cleo,
        starts_at=other.starts_at + timedelta(minutes=minutes),
        ends_at=other.ends_at + timedelta(minutes=minutes),
    )

    assert other.ends_at - other.starts_at == timedelta(minutes=30)
    assert overlap_warning(near, maple.sky) == ""


@pytest.mark.parametrize("change", [{"status": Status.CANCELLED}, {"client": None}])
def test_cancelled_appointments_and_those_of_others_do_not_count(
    maple: Maple, other: Appointment, change: dict[str, object]
):
    if "client" in change:
        change = {"client": make_client(maple.organization, "Abe Lind")}
    Appointment.objects.filter(pk=other.pk).update(**change)

    assert overlap_warning(maple.book(starts_at=monday(10)), maple.sky) == ""


def test_the_clients_email_names_the_other_appointment_and_the_staffs_does_not(maple: Maple, other: Appointment):
    booked = maple.book_online(starts_at=monday(10))

    texts = {
        notification.audience: str(message_for(notification).body)  # type: ignore[union-attr]
        for notification in Notification.objects.filter(appointment=booked)
    }

    sentence = "You have another appointment at this time: Mortgage review with Ben Lu, Mon 30 Nov 2026, 10:00."
    assert sentence in texts[Audience.CLIENT]
    assert "another appointment" not in texts[Audience.STAFF]


def test_a_private_link_does_not_reveal_the_other_appointment(maple: Maple, other: Appointment):
    booked = maple.book_online(starts_at=monday(10))

    page = Browser().get(reverse("manage-appointment", args=[booked.manage_token])).content.decode()

    assert "Mortgage review" in page
    assert "Ben Lu" not in page
