"""Countries from the pinned time zone data."""

from __future__ import annotations

import pytest

from coconut.countries import country_choices, country_of_zone


def test_countries_are_listed_by_name_with_their_code() -> None:
    choices = country_choices()

    assert choices[0] == ("AF", "Afghanistan")
    assert ("CA", "Canada") in choices
    assert ("GB", "United Kingdom") in choices


@pytest.mark.parametrize(
    ("zone", "code"),
    [("America/Toronto", "CA"), ("America/Vancouver", "CA"), ("Europe/Berlin", "DE"), ("UTC", ""), ("Nowhere", "")],
)
def test_a_time_zone_has_the_country_of_its_place(zone: str, code: str) -> None:
    assert country_of_zone(zone) == code
