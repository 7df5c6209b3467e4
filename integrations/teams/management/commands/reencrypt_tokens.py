"""`manage.py reencrypt_tokens`: after a new key was put in front of ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.teams.entra.user_tokens import reencrypt


class Command(BaseCommand):
    help = (
        "Encrypts Microsoft's tokens with the newest key. Put the new key first in ENCRYPTION_KEYS, restart Coconut, "
        "run this, then remove the old key."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count, unreadable = reencrypt()
        self.stdout.write(f"Tokens of {count} connections are encrypted with the newest key.")
        if unreadable:
            raise CommandError(
                f"Tokens of {unreadable} connections can be read with none of ENCRYPTION_KEYS and were left as they "
                "are. Add the key that they were stored with, and run this again before a key is removed."
            )
