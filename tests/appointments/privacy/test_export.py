"""Export of what is stored about a client."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appointments.changes.status import cancel_appointment
from appointments.models import Client
from appointments.privacy.client_data import CLIENT_DATA
from appointments.privacy.export import export_client
from tests.appointments.conftest import Maple, monday
from tests.outbox import send_all

pytestmark = pytest.mark.usefixtures("friday")


@pytest.fixture
def exported(maple: Maple) -> dict[str, Any]:
    """The export of Cleo, who lives in Toronto and booked with notes. Sky cancelled."""
    Client.objects.filter(pk=maple.cleo.pk).update(time_zone=ZoneInfo("America/Toronto"))
    appointment = maple.book_online(client_note="I come by bus", internal_note="Speaks French")
    send_all()
    cancel_appointment(appointment, actor=maple.sky, through="schedule", reason="Sam is ill")
    send_all()
    return export_client(Client.objects.get(pk=maple.cleo.pk))


def test_an_export_has_the_details_of_the_client(maple: Maple, exported: dict[str, Any]) -> None:
    assert exported["client"] == {
        "id": maple.cleo.pk,
        "name": "Cleo Brandt",
        "email": "cleo@example.com",
        "phone": "+1 555 0100",
        "time_zone": "America/Toronto",
        "language": "",
        "added_at": "2026-11-27T07:00:00-05:00",
    }


def test_an_export_has_the_appointments_with_times_and_zone(exported: dict[str, Any]) -> None:
    (appointment,) = exported["appointments"]
    names = ["service", "staff", "starts_at", "ends_at", "status", "client_note", "internal_note", "cancel_reason"]

    assert exported["time_zone"] == "America/Toronto"
    assert [appointment[name] for name in names] == [
        "Mortgage review",
        "Sam Okafor",
        "2026-11-30T05:00:00-05:00",
        "2026-11-30T05:30:00-05:00",
        "cancelled",
        "I come by bus",
        "Speaks French",
        "Sam is ill",
    ]


def test_an_export_has_the_timeline(exported: dict[str, Any]) -> None:
    timeline = exported["appointments"][0]["timeline"]

    assert [(event["kind"], event["by"], event["through"]) for event in timeline] == [
        ("booked", None, "client_view"),
        ("cancelled_with_reason", "Sky Larsen", "schedule"),
    ]
    assert timeline[1]["text"] == "Cancelled: Sam is ill"


def test_an_export_has_the_emails(exported: dict[str, Any]) -> None:
    emails = exported["appointments"][0]["emails"]

    assert [(email["kind"], email["audience"], email["to"], email["state"]) for email in emails] == [
        ("booked", "client", ["cleo@example.com"], "sent"),
        ("booked", "staff", ["sam@maple.example"], "sent"),
        ("cancelled", "client", ["cleo@example.com"], "sent"),
        ("cancelled", "staff", ["sam@maple.example"], "sent"),
    ]
    assert all(email["sent_at"] for email in emails)


def test_an_export_has_no_private_links(maple: Maple, exported: dict[str, Any]) -> None:
    appointment = maple.cleo.appointments.get()

    text = json.dumps(exported)

    assert appointment.manage_token not in text
    assert appointment.join_token not in text


def test_an_export_has_every_text_that_an_erasure_blanks(maple: Maple, exported: dict[str, Any]) -> None:
    """A new column about clients must be exported as well, unless it is a key or a secret."""
    not_exported = {"erased_at", "request_key", "manage_token", "join_token", "attendees"}
    renamed = {"client_time_zone": "time_zone_of_booking", "params": "details", "subject": "video_meeting"}
    blanked = {column for data in CLIENT_DATA for column in data.blank or {}}

    keys = {f'"{renamed.get(column, column)}":' for column in blanked - not_exported}

    text = json.dumps(exported)
    assert {key for key in keys if key not in text} == set()


@pytest.mark.parametrize("how_many", [1, 3])
def test_any_number_of_appointments_takes_the_same_queries(
    maple: Maple, how_many: int, django_assert_num_queries: Any
) -> None:
    for number in range(how_many):
        maple.book(starts_at=monday(10 + number))
    client = Client.objects.select_related("organization").get(pk=maple.cleo.pk)

    # Appointments, answers, events and their actors, notifications and their emails.
    with django_assert_num_queries(6):
        export_client(client)
