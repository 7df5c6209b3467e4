"""`manage.py reencrypt_tokens`: after a new key was put in front of ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from integrations.teams.tokens import reencrypt


class Command(BaseCommand):
    help = (
        "Encrypts Microsoft's tokens with the newest key. Put the new key first in ENCRYPTION_KEYS, restart Coconut, "
        "run this, then remove the old key."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = reencrypt()
        self.stdout.write(f"Tokens of {count} connections are encrypted with the newest key.")
