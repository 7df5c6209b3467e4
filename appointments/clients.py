"""Finding and adding the people who book."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Case, QuerySet, Value, When
from django.db.models.functions import Upper
from django.utils import timezone

from appointments.booking.book import book_appointment
from appointments.models import Appointment, Client
from staff.models import Organization

# What people write between the digits of a phone number.
_PHONE = re.compile(r"[\d\s+()./-]{5,}")


def find_clients(organization: Organization, search: str) -> QuerySet[Client]:
    """The organisation's clients in whose name, email or phone every word of the search occurs, without case.

    A phone number is found however it is written. Made for 100,000 clients: trigrams find the words.
    """
    words = ["".join(re.findall(r"\d", search))] if _PHONE.fullmatch(search) else search.split()
    found = Client.objects.filter(organization=organization)
    for word in words:
        # The column is in upper case; the database raises the word too, so that both follow the same rules.
        found = found.filter(search_text__contains=Upper(Value(word)))
    return found


def client_with_email(organization: Organization, email: str) -> Client | None:
    """The first client who has this email already; people may share one."""
    return Client.objects.filter(organization=organization, email__iexact=email).first() if email else None


def sharing_email(client: Client) -> QuerySet[Client]:
    """The other clients who have this client's email; nobody where there is none."""
    if not client.email:
        return Client.objects.none()
    everybody = Client.objects.filter(organization=client.organization_id, email__iexact=client.email)
    return everybody.exclude(pk=client.pk)


def appointments_of(client: Client) -> QuerySet[Appointment]:
    """A client's appointments: those to come, the next one first; then those that are over, the last one first.

    `is_over` tells them apart.
    """
    over = Case(When(ends_at__lte=timezone.now(), then=Value(True)), default=Value(False))
    rows = client.appointments.annotate(is_over=over).select_related("service", "staff", "meeting")
    return rows.order_by("is_over", Case(When(is_over=False, then="starts_at")), "-starts_at", "pk")


def book_for(
    client: Client | dict[str, Any],
    *,
    organization: Organization,
    book: Callable[..., Appointment] = book_appointment,
    **booking: Any,
) -> Appointment:
    """Book for a client, or for one who is added with these details: both or neither.

    `book` is `book_appointment` or `book_with_any_staff`; see there for what it takes and raises.
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
