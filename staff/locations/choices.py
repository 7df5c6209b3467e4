"""Locations to choose from in forms."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from staff.models import Location, StaffMember, WorkingHours


def locations_for_hours(person: StaffMember) -> list[Location]:
    """Return the active locations, and inactive ones at which the person has hours or exceptions already."""
    weekly = WorkingHours.objects.filter(staff=person).values("location")
    exceptions = person.overrides.values("branch")
    chosen = Q(active=True) | Q(pk__in=weekly) | Q(pk__in=exceptions)
    return list(Location.objects.filter(chosen, organization=person.organization_id))


def choice_label(location: Location) -> str:
    """Return the name of a location, marked if it takes no new appointments."""
    return location.name if location.active else _("%(name)s (inactive)") % {"name": location.name}
