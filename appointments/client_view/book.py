"""Book for somebody on the public page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from appointments.availability.slots import next_free_of_any_staff
from appointments.booking.any_staff import book_with_any_staff
from appointments.client_view.form_tokens import FormToken
from appointments.client_view.selection import ClientSelection
from appointments.clients import book_for
from appointments.models import Appointment, BookedThrough, Client

_TIMES_SHOWN = 6


def book_as_client(
    wish: ClientSelection, details: dict[str, str], *, starts_at: datetime, token: FormToken, client_note: str
) -> Appointment:
    """Book what was chosen. Who booked before with the same name and email is not added again.

    Raises BookingError or TimeTaken.
    """
    assert wish.service  # noqa: S101 - tells mypy what the page has looked at
    assert wish.method  # noqa: S101
    booking: dict[str, Any] = {
        "organization": wish.organization,
        "service": wish.service,
        "starts_at": starts_at,
        "method": int(wish.method),
        "actor": None,
        "through": BookedThrough.CLIENT_VIEW,
        "request_key": token.request_key(wish.service.pk, int(starts_at.timestamp())),
        "client_note": client_note,
    }
    client = _client(wish, details)
    if wish.staff:
        appointment = book_for(client, staff=wish.staff, **booking)
    else:
        appointment = book_for(client, book=book_with_any_staff, people=wish.people, **booking)
    # They read times in the zone that they booked in last.
    Client.objects.filter(pk=appointment.client_id).exclude(time_zone=wish.zone).update(time_zone=wish.zone)
    return appointment


def next_times(wish: ClientSelection, after: datetime) -> list[datetime]:
    """The next free times from a moment on, or from now where it has passed."""
    assert wish.service  # noqa: S101 - tells mypy what the page has looked at
    start = max(after, timezone.now())
    return next_free_of_any_staff(wish.service, wish.candidates, start, _TIMES_SHOWN, for_clients=True)


def _client(wish: ClientSelection, details: dict[str, str]) -> Client | dict[str, Any]:
    known = same_client(details, wish.organization.pk)
    if known is None:
        return {**details, "name": " ".join(details["name"].split()), "time_zone": wish.zone}
    return known


def same_client(details: dict[str, str], organization_id: int) -> Client | None:
    """Who booked before with this very name and email, and phone where one is given; nobody's details change."""
    name = " ".join(details["name"].split())
    found = Client.objects.filter(
        organization=organization_id, email__iexact=details["email"], name__iexact=name
    ).order_by("pk")
    digits = _digits(details["phone"])
    return next((client for client in found if not digits or _digits(client.phone) == digits), None)


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))
