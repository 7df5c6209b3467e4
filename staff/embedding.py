"""Which other sites may show an organisation's public pages inside their own."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from staff.models import Organization

# As browsers write an origin: no path, no user name, and nothing that would end a header's value.
_ORIGIN = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", re.IGNORECASE)


class NoOrigin(ValueError):
    """A line is no origin. The text is a sentence."""


def read_origins(text: str) -> list[str]:
    """The origins in the text, one a line. Raises NoOrigin."""
    origins = [line.strip().rstrip("/").lower() for line in text.splitlines() if line.strip()]
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            sentence = _("“%(origin)s” is not an origin. Write it as https://www.example.com.")
            raise NoOrigin(sentence % {"origin": origin})
    return list(dict.fromkeys(origins))


def embedding_sites(organization: Organization) -> list[str]:
    """The origins that may; a list that somebody spoilt allows none."""
    try:
        return read_origins(organization.embed_origins)
    except NoOrigin:
        return []
