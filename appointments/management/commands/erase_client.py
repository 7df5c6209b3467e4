"""`manage.py erase_client`: erase a client's data."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from appointments.management.arguments import add_client_arguments, client_or_error
from appointments.privacy.erasure import NotErasable, check_erasable, erase_client


class Command(BaseCommand):
    help = (
        "Erases a client's details, notes, reasons and emails. The appointments stay, without the client. "
        "This can't be undone. Clients with upcoming appointments are refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_client_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say what would be erased")

    def handle(self, *args: Any, **options: Any) -> None:
        client = client_or_error(options["organization"], options["client"])
        number = client.appointments.count()
        try:
            if options["dry_run"]:
                check_erasable(client)
            else:
                erase_client(client, actor=None)
        except NotErasable as error:
            raise CommandError(error.sentence) from None
        done = "would be erased" if options["dry_run"] else "was erased"
        self.stdout.write(
            f"Client {client.pk} of {client.organization.name} {done}. Appointments that stay, without the client: "
            f"{number}."
        )
