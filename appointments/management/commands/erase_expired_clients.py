"""`manage.py erase_expired_clients`: do now what the nightly task does."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from appointments.management.arguments import organization_or_error
from appointments.privacy.retention import erase_expired_of, expired_clients
from staff.models import Organization


class Command(BaseCommand):
    help = (
        "Erases the clients whose organisation's retention period is over. The nightly task does the same. "
        "This can't be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="only this organisation's clients")
        parser.add_argument("--dry-run", action="store_true", help="only say how many clients would be erased")

    def handle(self, *args: Any, **options: Any) -> None:
        for organization in _organizations(options["organization"]):
            self.stdout.write(f"{organization.name}: {_result(organization, is_dry_run=options['dry_run'])}")


def _organizations(slug: str | None) -> list[Organization]:
    if slug is not None:
        return [organization_or_error(slug)]
    return list(Organization.objects.order_by("name"))


def _result(organization: Organization, *, is_dry_run: bool) -> str:
    months = organization.retention_months
    if months is None:
        return "keeps its clients, as no retention period is set."
    if is_dry_run:
        return f"clients that would be erased, after {months} months: {expired_clients(organization, months).count()}."
    return f"clients erased, after {months} months: {erase_expired_of(organization)}."
