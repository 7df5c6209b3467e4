"""Find clients, and add them while booking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Case, QuerySet, Value, When
from django.utils import timezone

from appointments.booking.book import book_appointment
from appointments.models import Appointment, Client
from coconut.fields.phone_numbers import canonical_phone_number, phone_search_words
from staff.models import Organization
from staff.pagination import search_words

_DUPLICATES_SHOWN = 5


def find_clients(organization: Organization, search: str) -> QuerySet[Client]:
    """Return the organisation's clients whose name, email or phone contains every word of the search.

    Phone numbers match in any notation. A trigram index keeps this fast for 100,000 clients.
    """
    return organization.clients.containing_words(_words(search, organization.phone_region))


def _words(search: str, region: str | None) -> list[str]:
    """Return the words to find. A phone number with spaces is one word."""
    number = phone_search_words(search, region)
    if number != [search]:
        return number
    return [word for typed in search_words(search) for word in phone_search_words(typed, region)]


def possible_duplicates(
    organization: Organization, *, name: str = "", email: str = "", phone: str = ""
) -> list[Client]:
    """Return the clients who may be this person: with the same email or phone, or a very similar name.

    Case, accents and the order of names don't count. At most five of each kind, those with the email first.
    """
    clients = organization.clients
    found = [
        *clients.with_email(email.strip())[:_DUPLICATES_SHOWN],
        *_with_phone(organization, phone)[:_DUPLICATES_SHOWN],
        *clients.with_similar_name(name)[:_DUPLICATES_SHOWN],
    ]
    return list(dict.fromkeys(found))


def _with_phone(organization: Organization, phone: str) -> QuerySet[Client]:
    number = canonical_phone_number(phone, organization.phone_region)
    # The search narrows by the index; the column decides.
    return (
        organization.clients.containing_words(number.split()).filter(phone=number) if number else Client.objects.none()
    )


def appointments_of(client: Client) -> QuerySet[Appointment]:
    """Return a client's appointments: the upcoming ones by start, then the past ones with the latest first.

    The annotation `is_over` is true for past ones.
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
    """Book for a client, or add a client with these details and book, in one transaction.

    `book` is `book_appointment` or `book_with_any_staff`; see there for `booking` and the errors.
    """
    if isinstance(client, Client):
        return book(organization=organization, client=client, **booking)
    with transaction.atomic():
        added = Client.objects.create(organization=organization, **client)
        appointment = book(organization=organization, client=added, **booking)
        # The form was submitted twice: the first submit has already added the client.
        if appointment.client_id != added.pk:
            added.delete()
        return appointment
