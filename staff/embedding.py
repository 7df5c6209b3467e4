"""Sites that may embed an organisation's Client View."""

from __future__ import annotations

import re

from django.conf import settings
from django.utils.translation import gettext as _

from staff.models import Organization

# As browsers write an origin: no path, no user name, no character that could end a header's value.
_ORIGIN = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", re.IGNORECASE)
# Anyone on the network path could replace a page without https. Only a demo may be embedded in such a page.
_LOCAL_ORIGIN = re.compile(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?", re.IGNORECASE)


class InvalidOrigin(ValueError):
    """A line isn't an origin. The text is a sentence."""


def read_origins(text: str) -> list[str]:
    """Return the origins in the text, which has one per line. Raises InvalidOrigin."""
    origins = _lines(text)
    for origin in origins:
        if not _is_allowed(origin):
            sentence = _("“%(origin)s” is not an origin. Write it as https://www.example.com.")
            if origin.startswith("http:"):
                sentence = _("“%(origin)s” must begin with https, so that visitors see the real page.")
            raise InvalidOrigin(sentence % {"origin": origin})
    return list(dict.fromkeys(origins))


def embedding_sites(organization: Organization) -> list[str]:
    """Return the origins that may embed the Client View. Leaves out stored lines that aren't allowed (any more)."""
    return [origin for origin in _lines(organization.embed_origins) if _is_allowed(origin)]


def _lines(text: str) -> list[str]:
    return [line.strip().rstrip("/").lower() for line in text.splitlines() if line.strip()]


def _is_allowed(origin: str) -> bool:
    return bool(_ORIGIN.fullmatch(origin) or (settings.DEMO and _LOCAL_ORIGIN.fullmatch(origin)))
