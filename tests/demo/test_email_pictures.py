"""Pictures of emails in docs/emails.md."""

from __future__ import annotations

import re

from django.conf import settings

FOLDER = settings.BASE_DIR / "docs" / "emails"
LARGEST_TOTAL = 3 * 1024 * 1024


def test_the_page_shows_every_picture_and_no_other() -> None:
    page = (settings.BASE_DIR / "docs" / "emails.md").read_text()

    assert sorted(re.findall(r"\(emails/([\w-]+\.png)\)", page)) == sorted(each.name for each in FOLDER.iterdir())


def test_the_pictures_are_small() -> None:
    assert sum(each.stat().st_size for each in FOLDER.iterdir()) < LARGEST_TOTAL
