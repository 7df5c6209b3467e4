"""Consequences of a change of a location that an admin confirms."""

from __future__ import annotations

from staff.hooks import location_notices
from staff.models import Location


def consequences(before: Location, after: Location) -> list[str]:
    """Return a sentence for each consequence of the change, from the hooks of upper apps."""
    return [sentence for sentences_for in location_notices for sentence in sentences_for(before, after)]
