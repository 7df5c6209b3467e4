"""Lists of locations."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet
from django.shortcuts import get_object_or_404

from staff.models import Location, Organization
from staff.pagination import has_words


def location_or_404(organization: Organization, pk: int) -> Location:
    """Return a location of the organisation. Raises Http404 for any other id."""
    return get_object_or_404(organization.locations, pk=pk)


def search_locations(
    locations: QuerySet[Location], *, words: str = "", active: bool | None = None
) -> QuerySet[Location]:
    """Return the locations that match. Every word must be in the name or the address."""
    locations = locations.filter(has_words(words, "name", "street", "city", "region", "postal_code"))
    return locations if active is None else locations.filter(active=active)


def with_staff_count(locations: QuerySet[Location]) -> QuerySet[Location]:
    """Add `staff_count`, the number of active staff members who work there."""
    counted = locations.annotate(staff_count=Count("staff", filter=Q(staff__is_active=True)))
    # The default order doesn't apply to grouped rows.
    return counted.order_by("name")
