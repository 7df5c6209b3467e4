"""Countries by their ISO 3166 code, from the pinned time zone data.

The names are those of `iso3166.tab` (https://data.iana.org/time-zones/tzdb/iso3166.tab).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

# The table says "Britain (UK)".
_USUAL_NAMES: Final = {"GB": "United Kingdom"}


@cache
def country_names() -> dict[str, str]:
    """Return the English names by code, in the order of the names. Nothing may change the result."""
    names = {code: _USUAL_NAMES.get(code, name) for code, name in _rows("iso3166.tab")}
    return dict(sorted(names.items(), key=lambda item: item[1]))


def country_choices() -> list[tuple[str, str]]:
    """Return the choices of a field. Migrations refer to this function, so that new countries need none."""
    return list(country_names().items())


def country_of_zone(key: str) -> str:
    """Return the code of the country of a time zone, such as "CA" for America/Toronto.

    A former name counts as the zone it became. "" is a zone that isn't a place, such as UTC.
    """
    countries = _countries_by_zone()
    return countries.get(key) or countries.get(_renamed_zones().get(key, ""), "")


@cache
def _countries_by_zone() -> dict[str, str]:
    return {zone: code for code, _coordinates, zone, *_comment in _rows("zone.tab")}


@cache
def _renamed_zones() -> dict[str, str]:
    """Return the present name by former name, from lines such as "L America/New_York US/Eastern"."""
    lines = (line.split(" ") for (line,) in _rows("tzdata.zi"))
    return {fields[2]: fields[1] for fields in lines if fields[0] == "L"}


def _rows(name: str) -> Iterator[list[str]]:
    """Yield the columns of a table without its comments."""
    text = files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")
