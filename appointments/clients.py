"""Finding and adding the people who book."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from appointments.booking import book_appointment
from appointments.models import Appointment, Client
from staff.listing import has_words
from staff.models import Organization


def find_clients(organization: Organization, search: str) -> QuerySet[Client]:
    """The organisation's clients in whose name, email or phone every word of the search occurs."""
    return Client.objects.filter(has_words(search, "name", "email", "phone"), organization=organization)


def client_with_email(organization: Organization, email: str) -> Client | None:
    """The first client who has this email already; people may share one."""
    return Client.objects.filter(organization=organization, email__iexact=email).first() if email else None


def book_for(
    client: Client | dict[str, str],
    *,
    organization: Organization,
    book: Callable[..., Appointment] = book_appointment,
    **booking: Any,
) -> Appointment:
    """Book for a client, or for one who is added with these details: both or neither.

    `book` is `book_appointment` or `book_with_anyone`; see there for what it takes and raises.
    """
    if isinstance(client, Client):
        return book(organization=organization, client=client, **booking)
    with transaction.atomic():
        added = Client.objects.create(organization=organization, **client)
        appointment = book(organization=organization, client=added, **booking)
        # The form was sent twice: the first booking stands, and so does the client it added.
        if appointment.client_id != added.pk:
            added.delete()
        return appointment
