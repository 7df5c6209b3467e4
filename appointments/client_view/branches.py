"""Branches to choose from, with what a client needs to know about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import prefetch_related_objects
from django.utils import timezone

from staff.locations.opening_hours import today_texts, week_text
from staff.locations.week import opening_week_of
from staff.models import Location
from staff.pagination import search_words

#: With more branches than this, the page has a search.
MANY_BRANCHES: Final = 6


@dataclass(frozen=True)
class Branch:
    """A location with its hours as text, which are "" if it is always open."""

    location: Location
    hours: str
    today: str

    @property
    def has_coordinates(self) -> bool:
        return self.location.latitude is not None


def branches_of(locations: Sequence[Location], first_weekday: int) -> list[Branch]:
    """Return the locations with their hours, in the same order. Takes four queries for any number of locations."""
    prefetch_related_objects(locations, "hours")
    today = today_texts(locations, timezone.now())
    return [
        Branch(location, week_text(opening_week_of(location), first_weekday), today[location.pk])
        for location in locations
    ]


def matching_locations(locations: Sequence[Location], text: str) -> list[Location]:
    """Return the locations that have each word of the text in their name, city or postal code, compared without case.

    A postal code is found with or without its space.
    """
    words = [word.casefold() for word in search_words(text)]
    return [location for location in locations if _has_words(location, words) or _has_postal_code(location, text)]


def _has_words(location: Location, words: Sequence[str]) -> bool:
    place = f"{location.name} {location.city} {location.postal_code}".casefold()
    return all(word in place for word in words)


def _has_postal_code(location: Location, text: str) -> bool:
    typed, stored = ("".join(code.split()).casefold() for code in (text, location.postal_code))
    return bool(typed) and stored.startswith(typed)
