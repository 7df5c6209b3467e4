"""Book an appointment in the Client View."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from appointments.answers import NewAnswer
from appointments.availability.daily_limits import day_around
from appointments.availability.next_free import next_free_of_any_staff
from appointments.booking.any_staff import book_with_any_staff
from appointments.booking_rules.errors import BookingError, ClientLimitReached
from appointments.client_view.form_tokens import FormToken
from appointments.client_view.selection import ClientSelection
from appointments.clients import book_for
from appointments.models import Appointment, BookedThrough, Client
from services.models import MeetingMethod

_SLOTS_SHOWN = 6


def book_as_client(
    selection: ClientSelection,
    details: dict[str, str],
    *,
    starts_at: datetime,
    token: FormToken,
    client_note: str,
    answers: Sequence[NewAnswer] = (),
) -> Appointment:
    """Book the selection. A client with the same name and email is reused, and stays as stored.

    Raises BookingError or TimeTaken.
    """
    assert selection.service  # noqa: S101 - the page has checked it
    assert selection.method  # noqa: S101
    booking: dict[str, Any] = {
        "organization": selection.organization,
        "service": selection.service,
        "starts_at": starts_at,
        "method": int(selection.method),
        "actor": None,
        "through": BookedThrough.CLIENT_VIEW,
        "request_key": request_key_of(selection, token, starts_at, details["email"]),
        "client_note": client_note,
        "answers": answers,
        # Not the zone that is stored for a known client: a stranger may book in that name, and sees the zone.
        "client_time_zone": selection.own_zone,
        "location": selection.location,
    }
    client = same_client(details, selection.organization.pk) or {**details, "time_zone": selection.own_zone}
    if selection.staff:
        return book_for(client, staff=selection.staff, **booking)
    return book_for(client, book=book_with_any_staff, people=selection.pool, **booking)


def is_repeated(selection: ClientSelection, token: FormToken, starts_at: datetime, email: str) -> bool:
    """Return whether the same form was submitted before and booked an appointment. Then nothing is booked again."""
    key = request_key_of(selection, token, starts_at, email)
    return Appointment.objects.filter(organization=selection.organization, request_key=key).exists()


def request_key_of(selection: ClientSelection, token: FormToken, starts_at: datetime, email: str) -> str:
    assert selection.service  # noqa: S101 - the page has checked it
    return token.request_key(selection.service.pk, int(starts_at.timestamp()), email)


def next_slots(selection: ClientSelection, refused: datetime, error: BookingError) -> list[datetime]:
    """Return the next free slots after a refused start, or from now on if it has passed.

    If the client has reached a limit, the slots are those of later days.
    """
    assert selection.service  # noqa: S101 - the page has checked it
    _today, tomorrow = day_around(refused, selection.zone)
    start = max(tomorrow if isinstance(error, ClientLimitReached) else refused, timezone.now())
    return next_free_of_any_staff(
        selection.service,
        selection.candidates,
        start,
        _SLOTS_SHOWN,
        for_clients=True,
        method=selection.method or MeetingMethod.AT_LOCATION,
        location=selection.location,
    )


def same_client(details: dict[str, str], organization_id: int) -> Client | None:
    """Return the client with this name and email, and with this phone if one is given."""
    known = Client.objects.with_email(details["email"])
    found = known.filter(organization=organization_id, name__iexact=details["name"]).order_by("pk")
    phone = details["phone"]
    return next((client for client in found if not phone or client.phone == phone), None)
