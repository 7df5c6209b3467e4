"""Countries of time zones, by which phone numbers without a country code are read and shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from functools import cache
from importlib import resources

from django.utils import timezone


def region_of_zone(zone: tzinfo | str | None) -> str | None:
    """Return the country of a time zone as two letters (ISO 3166-1), such as "CA" for America/Toronto.

    A former name counts as the zone it became. A zone without a country, such as UTC, gives None.
    """
    key = str(zone)
    zones = _zones()
    return zones.get(key) or zones.get(_renamed_zones().get(key, ""))


def current_region() -> str | None:
    """Return the country of the current time zone, which is the reader's."""
    return region_of_zone(timezone.get_current_timezone())


@cache
def _zones() -> dict[str, str]:
    return {fields[2]: fields[0] for fields in _rows("zone.tab") if not fields[0].startswith("#")}


@cache
def _renamed_zones() -> dict[str, str]:
    """Return the present name by former name, from lines such as "L America/New_York US/Eastern"."""
    return {fields[2]: fields[1] for fields in _rows("tzdata.zi") if fields[0] == "L"}


def _rows(name: str) -> Iterator[list[str]]:
    text = (resources.files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8")
    return (fields for line in text.splitlines() if len(fields := line.split()) > 2)
