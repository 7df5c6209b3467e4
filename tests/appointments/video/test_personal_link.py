"""Personal links are labelled as such, with their note, on every page and email."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment, Audience, NotificationKind
from appointments.notifications.ics import invitation
from services.models import MeetingMethod
from staff.models import VideoChoice
from staff.outbox import send_waiting
from tests.appointments.conftest import Maple
from tests.cast import signed_in

pytestmark = pytest.mark.usefixtures("friday")
NAME = "Sam Okafor’s personal link"
NOTE = "Ring twice & wait"


@pytest.fixture
def booked(maple: Maple) -> Appointment:
    """A video call on Sam's personal link, which has a note."""
    maple.sam.video_choice = VideoChoice.PERSONAL
    maple.sam.personal_meeting_url = "https://meet.example/sam"
    maple.sam.personal_meeting_note = NOTE
    maple.sam.save()
    return maple.book(method=MeetingMethod.VIDEO)


def says(page: str) -> tuple[bool, bool]:
    """Return whether the page labels the link and shows its note."""
    return NAME in page, "Ring twice &amp; wait" in page


@pytest.mark.parametrize("name", ["appointment", "contact-center-booked"])
def test_pages_for_schedulers_label_the_personal_link(maple: Maple, booked: Appointment, name: str) -> None:
    page = signed_in(maple.sky).get(reverse(name, args=[booked.pk])).content.decode()

    assert says(page) == (True, True)


def test_the_clients_page_labels_the_personal_link(booked: Appointment) -> None:
    page = Browser().get(reverse("manage-appointment", args=[booked.manage_token])).content.decode()

    assert says(page) == (True, True)


def test_the_contact_center_labels_the_personal_link_before_the_booking(maple: Maple, booked: Appointment) -> None:
    query = {"service": maple.review.pk, "method": MeetingMethod.VIDEO.value}

    page = signed_in(maple.sky).get("/contact-center/", query).content.decode()

    assert says(page) == (True, True)


def test_the_emails_label_the_personal_link(booked: Appointment) -> None:
    send_waiting()

    for message in mail.outbox:
        text, (html, _kind) = str(message.body), message.alternatives[0]  # type: ignore[union-attr]
        assert (NAME in text, NOTE in text) == (True, True)
        assert says(str(html)) == (True, True)
    assert len(mail.outbox) == 2


def test_the_calendar_entry_labels_the_personal_link(booked: Appointment) -> None:
    ics = invitation(
        booked, kind=NotificationKind.BOOKED, sequence=0, audience=Audience.CLIENT, to="cleo@example.com"
    ).decode()

    unfolded = ics.replace("\r\n ", "")
    assert f"{NAME}\\n{NOTE}" in unfolded


def test_the_note_stays_as_it_was_at_the_booking(maple: Maple, booked: Appointment) -> None:
    maple.sam.personal_meeting_note = "Another note"
    maple.sam.save()

    page = Browser().get(reverse("manage-appointment", args=[booked.manage_token])).content.decode()

    assert says(page) == (True, True)
