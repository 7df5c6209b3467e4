"""Rows that a command's arguments name."""

from __future__ import annotations

from django.core.management.base import CommandError, CommandParser

from appointments.models import Client
from staff.models import Organization


def add_client_arguments(parser: CommandParser) -> None:
    parser.add_argument("--organization", metavar="SLUG", required=True, help="the client's organisation")
    parser.add_argument(
        "--client", metavar="ID", type=int, required=True, help="the number in the address of the client's page"
    )


def organization_or_error(slug: str) -> Organization:
    """Return the organisation. Raises CommandError."""
    try:
        return Organization.objects.get(slug=slug)
    except Organization.DoesNotExist:
        sentence = f"There is no organisation “{slug}”. Give the slug that its booking address ends with."
        raise CommandError(sentence) from None


def client_or_error(slug: str, pk: int) -> Client:
    """Return the organisation's client. Raises CommandError if it has none with this id, or erased it."""
    organization = organization_or_error(slug)
    try:
        return Client.objects.select_related("organization").get(organization=organization, pk=pk)
    except Client.DoesNotExist:
        raise CommandError(f"{organization.name} has no client {pk}, or the client was erased already.") from None
