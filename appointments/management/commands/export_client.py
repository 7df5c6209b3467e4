"""`manage.py export_client`: write what is stored about a client as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from appointments.audit import record_client_export
from appointments.management.arguments import add_client_arguments, client_or_error
from appointments.privacy.export import export_client


class Command(BaseCommand):
    help = "Writes everything that is stored about a client to standard output, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        add_client_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        client = client_or_error(options["organization"], options["client"])
        record_client_export(client)
        self.stdout.write(json.dumps(export_client(client), indent=2, ensure_ascii=False))
