"""Finding and adding the people who book."""

from __future__ import annotations

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


def book_for_new_client(organization: Organization, details: dict[str, str], **booking: Any) -> Appointment:
    """Add the client and book for them, both or neither; see `book_appointment` for what it takes and raises."""
    with transaction.atomic():
        client = Client.objects.create(organization=organization, **details)
        appointment = book_appointment(organization=organization, client=client, **booking)
        # The form was sent twice: the first booking stands, and so does the client it added.
        if appointment.client_id != client.pk:
            client.delete()
        return appointment
