"""Hostile input in forms and URLs gives a sentence or a page, never a server error."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment
from services.models import MeetingMethod
from staff.models import Role
from tests.factories import (
    make_client,
    make_connection,
    make_hours,
    make_match,
    make_member,
    make_organization,
    make_service,
)

HOSTILE = [
    "\x00",
    "a\x00b",
    "\ud800".encode("utf-8", "surrogatepass"),
    "9" * 40,
    "9" * 5000,
    "-1",
    "💥" * 300,
    "%\\'\"<b>",
]
DATES = ["0001-01-01", "9999-12-31", "2026-02-30", "\x00"]
TIMES = ["00:00", "24:00"]


@pytest.fixture
def maple(client: Browser, fake_teams: Any) -> dict[str, Any]:
    """Maple, with Ada signed in and Sam who provides a service and can host."""
    maple = make_organization()
    ada, sam = make_member(maple, "Ada Lovell", Role.ADMIN), make_member(maple)
    make_hours(sam)
    service = make_service(maple, provided_by=(sam,))
    connection = make_connection(maple)
    make_match(connection, sam)
    client.force_login(ada)
    return {
        "organization": maple,
        "staff": sam.pk,
        "service": service.pk,
        "client": make_client(maple).pk,
        "connection": connection.pk,
    }


@pytest.mark.parametrize("value", HOSTILE)
def test_pages_survive_any_query_string(client: Browser, maple: dict[str, Any], value: str | bytes) -> None:
    lists = {
        "staff-list": ["q", "location", "active", "rows", "page"],
        "service-list": ["q", "active", "page"],
        "client-list": ["q", "page", "rows"],
        "schedule": ["date", "location", "service", "q", "page", "view"],
        "schedule-events": ["date", "location", "service", "q", "page"],
        "appointment-add": ["staff", "date", "time", "client", "client_query", "service", "method"],
        "contact-center": [
            "client",
            "client_query",
            "service",
            "method",
            "location",
            "staff",
            "date",
            "slot",
        ],
        "login": ["next"],
        "teams-callback": ["state", "code", "error", "error_description"],
    }
    addresses = {reverse(name): fields for name, fields in lists.items()}
    addresses[reverse("connection", args=[maple["connection"]])] = [
        "search",
        "video",
        "status",
        "sort",
        "rows",
        "page",
    ]
    addresses[reverse("service-staff", args=[maple["service"]])] = ["q", "page"]

    for address, fields in addresses.items():
        for field in fields:
            response = client.get(f"{address}?{urlencode({field: value})}")
            assert response.status_code in (200, 302, 303, 404), (address, field, response.status_code)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("preview", [{}, {"preview": "choices"}])
def test_the_booking_form_survives_any_input(
    client: Browser, maple: dict[str, Any], value: str | bytes, preview: dict[str, str]
) -> None:
    good = booking(maple)

    for field in [*good, "client_query", "new_name", "new_email", "new_phone", "notes", "pick"]:
        response = client.post(reverse("appointment-add"), {**good, **preview, field: value})
        assert response.status_code in (200, 303), (field, response.status_code)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("preview", [{}, {"preview": "choices"}, {"go": "on"}])
def test_the_contact_center_survives_any_input(
    client: Browser, maple: dict[str, Any], value: str | bytes, preview: dict[str, str]
) -> None:
    good = {**booking(maple), "slot": "4076395200", "location": "", "named_links": ""}

    for field in [*good, "client_query", "new_name", "new_email", "new_phone", "notes", "from"]:
        response = client.post(reverse("contact-center"), {**good, **preview, field: value})
        assert response.status_code in (200, 303), (field, response.status_code)


@pytest.mark.parametrize("day", [*DATES, "2000-01-01", "2199-12-31"])
def test_the_contact_center_shows_times_from_any_day(client: Browser, maple: dict[str, Any], day: str) -> None:
    response = client.get(reverse("contact-center"), {**booking(maple), "date": day})

    assert response.status_code == 200
    assert "id_date" in response.content.decode()


def booking(maple: dict[str, Any]) -> dict[str, Any]:
    """Return a scheduler's booking of a video call with Sam."""
    return {
        "request_key": "a-key",
        "client": maple["client"],
        "service": maple["service"],
        "method": MeetingMethod.VIDEO.value,
        "staff": maple["staff"],
        "date": "2099-03-03",
        "time": "10:00",
    }


@pytest.mark.parametrize("day", DATES)
@pytest.mark.parametrize("at", TIMES)
def test_absurd_times_are_refused_with_a_sentence(client: Browser, maple: dict[str, Any], day: str, at: str) -> None:
    response = client.post(
        reverse("appointment-add"), {**booking(maple), "date": day, "time": at, "outside_hours": "on"}
    )

    assert response.status_code == 200
    assert "field-errors" in response.content.decode()
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("day", DATES)
def test_the_schedule_of_an_absurd_day_opens(client: Browser, maple: dict[str, Any], day: str) -> None:
    for name in ("schedule", "schedule-events"):
        response = client.get(reverse(name), {"date": day})
        assert response.status_code == 200, name


@pytest.mark.parametrize("value", HOSTILE)
def test_every_other_form_survives_any_input(client: Browser, maple: dict[str, Any], value: str | bytes) -> None:
    forms = {
        reverse("staff-add"): [
            "first_name",
            "last_name",
            "email",
            "username",
            "role",
            "location",
            "time_zone",
        ],
        reverse("staff-profile", args=[maple["staff"]]): ["platform", "personal_meeting_url"],
        reverse("staff-services", args=[maple["staff"]]): ["services"],
        reverse("staff-time-off", args=[maple["staff"]]): ["starts_at", "ends_at", "start", "end", "reason"],
        reverse("service-add"): ["name", "category", "duration", "description"],
        reverse("service-more", args=[maple["service"]]): ["methods", "video", "offered_to"],
        reverse("service-staff", args=[maple["service"]]): ["staff", "shown", "q"],
        reverse("client-add"): ["name", "email", "phone", "time_zone"],
        reverse("connection-bulk", args=[maple["connection"]]): ["staff", "all", "on", "back"],
        reverse("connection-toggle", args=[maple["connection"], maple["staff"]]): ["on", "back"],
        reverse("connection-grant", args=[maple["connection"], maple["staff"]]): ["back"],
        reverse("teams-connect"): ["match_field"],
        reverse("login"): ["username", "password"],
    }

    for address, fields in forms.items():
        for field in fields:
            response = client.post(address, {field: value})
            assert response.status_code in (200, 302, 303, 400, 404), (address, field, response.status_code)
