"""`manage.py email_pictures`: write the emails of the demo as pictures into docs/emails/."""

from __future__ import annotations

import shutil
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from demo.email_pictures import samples, take_pictures
from staff.models import Organization

_FOLDER: Final = settings.BASE_DIR / "docs" / "emails"
_PROGRAMS: Final = ("chromium-headless-shell", "chromium", "chromium-browser")


class Command(BaseCommand):
    help = "Write a picture of each kind of email, wide, narrow and dark, into docs/emails/. Needs the running demo."

    def handle(self, *args: Any, **options: Any) -> None:
        from playwright.sync_api import sync_playwright  # Only developers have it.

        program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
        if program is None:
            raise CommandError("There is no browser: install Debian's package chromium.")
        with transaction.atomic():
            # First, because Playwright's event loop keeps Django from the database.
            found = samples(Organization.objects.exclude(logo_digest="").order_by("pk")[0])
            transaction.set_rollback(True)
        _FOLDER.mkdir(exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program)
            for sample in found:
                take_pictures(browser, sample, _FOLDER)
                self.stdout.write(f"{sample.name}: {sample.message.subject}")
            browser.close()
