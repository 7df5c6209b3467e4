"""Countries by which phone numbers without a country code are read and shown."""

from __future__ import annotations

from datetime import tzinfo

from django.utils import timezone

from coconut.countries import country_of_zone


def region_of_zone(zone: tzinfo | str | None) -> str | None:
    """Return the country of a time zone as two letters (ISO 3166-1), or None for a zone without one, such as UTC."""
    return country_of_zone(str(zone)) or None


def current_region() -> str | None:
    """Return the country of the current time zone, which is the reader's."""
    return region_of_zone(timezone.get_current_timezone())
