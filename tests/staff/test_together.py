"""Rows that are written together."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from staff.models import Location, Organization
from staff.together import insert_together

pytestmark = pytest.mark.django_db


def test_rows_are_stored_with_the_one_that_they_belong_to():
    maple = Organization(name="Maple Credit Union", slug="maple", time_zone="America/Toronto")

    insert_together(maple, [Location(name="Main"), Location(name="Pier 7")], by="organization_id")

    assert Organization.objects.get() == maple
    assert [place.name for place in maple.locations.all()] == ["Main", "Pier 7"]


def test_where_one_is_refused_nothing_is_stored():
    places = [Location(name="Main"), Location(name="main")]

    with pytest.raises(IntegrityError), transaction.atomic():
        insert_together(Organization(name="Maple Credit Union", slug="maple"), places, by="organization_id")

    assert (Organization.objects.count(), Location.objects.count()) == (0, 0)
