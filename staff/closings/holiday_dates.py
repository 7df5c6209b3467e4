"""Dates and names of public holidays, from the library `holidays`. Years are computed once per process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

import holidays
from django.utils.translation import get_language
from holidays.registry import COUNTRIES

# The library joins the names of holidays on the same date with this.
_NAME_DELIMITER: Final = "; "
# Such as " (observed)" in every language of the library.
_PARENTHESES: Final = re.compile(r"\s*\([^()]*\)$")


@dataclass(frozen=True)
class Holiday:
    """A public holiday. `key` is the same in every year and language, also for the day on which it is observed."""

    date: date
    key: str
    name: str


@lru_cache(maxsize=1)
def countries() -> dict[str, tuple[str, ...]]:
    """Return the codes of the regions by ISO 3166-1 alpha-2 code of the country."""
    listed = holidays.list_supported_countries(include_aliases=False)
    return {code: tuple(regions) for code, regions in sorted(listed.items())}


def country_name(country: str) -> str:
    """Return the English name of a country, such as "Canada"; the code if the library doesn't know it."""
    return _country_names().get(country, country)


def region_name(country: str, region: str) -> str:
    """Return the English name of a region, such as "Ontario"; the code if the library has no name."""
    found = _class_of(country)
    names = found.get_subdivision_aliases().get(region, []) if found else []
    return names[0] if names else region


def holidays_of(country: str, region: str, year: int) -> list[Holiday]:
    """Return the holidays of a year by date, named in the current language if the library has it."""
    return list(_holidays_of(country, region, year, get_language() or ""))


@lru_cache(maxsize=4096)
def closed_dates(country: str, region: str, year: int, switched_off: frozenset[str]) -> frozenset[date]:
    """Return the dates of a year with at least one holiday that isn't switched off."""
    every = _holidays_of(country, region, year, "")
    return frozenset(holiday.date for holiday in every if holiday.key not in switched_off)


@lru_cache(maxsize=1024)
def _holidays_of(country: str, region: str, year: int, language: str) -> tuple[Holiday, ...]:
    found = _class_of(country)
    # The library drops a country or a region rarely. Its locations then have no holidays.
    if found is None or (region and region not in found.subdivisions):
        return ()
    keys = found(subdiv=region or None, years=year, language=found.default_language)
    names = found(subdiv=region or None, years=year, language=_library_language(found, language))
    return tuple(
        Holiday(day, _PARENTHESES.sub("", key), name)
        for day, joined in sorted(keys.items())
        for key, name in _pairs(joined, names.get(day, joined))
    )


def _pairs(keys: str, names: str) -> Iterator[tuple[str, str]]:
    """Yield each key with its name. Names that are equal in another language are joined once."""
    split, translated = keys.split(_NAME_DELIMITER), names.split(_NAME_DELIMITER)
    return zip(split, translated if len(split) == len(translated) else split, strict=True)


def _library_language(found: type[holidays.HolidayBase], language: str) -> str | None:
    """Return the library's name of a language, such as "en_CA" for "en"; the country's own if it has none."""
    code = language.partition("-")[0]
    own = found.default_language
    if not code or (own and own.partition("_")[0] == code):
        return own
    return next((each for each in found.supported_languages if each.partition("_")[0] == code), own)


@lru_cache(maxsize=512)
def _class_of(country: str) -> type[holidays.HolidayBase] | None:
    if country not in countries():
        return None
    return type(holidays.country_holidays(country))


@lru_cache(maxsize=1)
def _country_names() -> dict[str, str]:
    """Return the names by code. Classes are called as `UnitedStates`, so spaces are added."""
    classes = ((code, name) for name, code, *_others in COUNTRIES.values())
    return {code: re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name) for code, name in classes}
