"""A client's address that bounced, on the pages of the appointment and the client."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from appointments.changes.client_details import save_client
from appointments.models import Appointment
from appointments.notifications.bounces import bounce_sentence
from appointments.privacy.erasure import erase_client
from staff.models import Bounce, OutboxEmail
from tests.appointments.conftest import Maple
from tests.appointments.mailbox import cancel
from tests.outbox import send_all

pytestmark = pytest.mark.usefixtures("friday")

SENTENCE = "This address bounced. Ask the client for the right one."


@pytest.fixture
def bounced(maple: Maple) -> Appointment:
    booked = maple.book()
    send_all()
    OutboxEmail.objects.filter(to=["cleo@example.com"]).update(bounce=Bounce.BOUNCED, bounced_at=timezone.now())
    return booked


def test_the_pages_of_the_appointment_and_the_client_say_that_the_address_bounced(
    as_sky: Browser, bounced: Appointment
) -> None:
    for page in (reverse("appointment", args=[bounced.pk]), reverse("client-edit", args=[bounced.client_id])):
        assert SENTENCE in as_sky.get(page).content.decode()


def test_a_complaint_has_a_sentence_of_its_own(bounced: Appointment) -> None:
    OutboxEmail.objects.update(bounce=Bounce.COMPLAINED)

    assert bounce_sentence(bounced.client).startswith("The client marked an email as spam.")


def test_a_corrected_address_has_not_bounced(maple: Maple, bounced: Appointment) -> None:
    bounced.client.email = "cleo.brandt@example.com"
    save_client(bounced.client, actor=maple.sky)

    assert bounce_sentence(bounced.client) == ""


def test_a_bounce_of_the_staff_members_address_says_nothing_about_the_client(maple: Maple) -> None:
    booked = maple.book()
    send_all()
    OutboxEmail.objects.filter(to=[maple.sam.email]).update(bounce=Bounce.BOUNCED, bounced_at=timezone.now())

    assert bounce_sentence(booked.client) == ""


def test_an_erasure_deletes_the_bounce(bounced: Appointment) -> None:
    cancel(bounced)
    send_all()

    erase_client(bounced.client, actor=None)

    assert not OutboxEmail.objects.exclude(bounce="").exists()
