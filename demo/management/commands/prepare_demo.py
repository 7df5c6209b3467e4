"""`manage.py prepare_demo`: migrate and, in an empty database, seed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from demo.seed import seed
from staff.models import Organization


class Command(BaseCommand):
    help = "Bring the database up to date and fill it with the demo's organisations when it has none."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo's passwords are published. Set DEMO=true on a machine without real data.")
        call_command("migrate", interactive=False, verbosity=0)
        if Organization.objects.exists():
            return
        self.stdout.write("Filling the database with the demo's organisations ...")
        # All or nothing: a start that is interrupted here begins again.
        with transaction.atomic():
            seed()
