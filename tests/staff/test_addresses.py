"""Addresses as clients read them, and links to a map."""

from __future__ import annotations

from decimal import Decimal

import pytest

from staff.models import Location


def test_a_canadian_address_has_the_postal_code_after_the_city() -> None:
    place = Location(
        street="120 Main Street", city="Toronto", region="ON", postal_code="M4E 2V8", country="CA", name="Main Street"
    )

    assert place.address == "120 Main Street, Toronto, ON M4E 2V8, Canada"
    assert place.address_lines == ["120 Main Street", "Toronto, ON M4E 2V8", "Canada"]


def test_a_german_address_has_the_postal_code_before_the_city() -> None:
    place = Location(street="Unter den Linden 5", city="Berlin", postal_code="10117", country="DE")

    assert place.address == "Unter den Linden 5, 10117 Berlin, Germany"


@pytest.mark.parametrize("parts", [{}, {"country": "CA"}])
def test_a_country_alone_is_not_an_address(parts: dict[str, str]) -> None:
    place = Location(**parts)

    assert (place.address, place.address_lines, place.map_link) == ("", [], "")


def test_a_map_shows_the_coordinates_if_there_are_any() -> None:
    place = Location(street="120 Main Street", city="Toronto")
    by_address = place.map_link
    place.latitude, place.longitude = Decimal("43.684700"), Decimal("-79.299000")

    assert by_address.endswith("query=120+Main+Street%2C+Toronto")
    assert place.map_link.endswith("query=43.684700%2C-79.299000")
