"""Booked appointments that a change of a location affects."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import ngettext

from appointments.models import LIVE_STATUSES, Appointment
from appointments.time_zones import day_and_time
from staff.models import Location


def location_sentences(before: Location, after: Location) -> list[str]:
    """Return what another time zone means for the upcoming appointments at the location."""
    if before.time_zone == after.time_zone:
        return []
    upcoming = _upcoming_at(before)
    first = upcoming.order_by("starts_at").first()
    return [] if first is None else [_zone_sentence(upcoming.count(), first.starts_at, before, after)]


def _upcoming_at(location: Location) -> QuerySet[Appointment]:
    return Appointment.objects.filter(
        organization=location.organization_id,
        location=location,
        status__in=LIVE_STATUSES,
        starts_at__gt=timezone.now(),
    )


def _zone_sentence(number: int, first: datetime, before: Location, after: Location) -> str:
    sentence = ngettext(
        "%(number)d upcoming appointment at this location keeps its moment, so its local time changes: "
        "%(before)s becomes %(after)s. Clients are not notified.",
        "%(number)d upcoming appointments at this location keep their moment, so their local times change: "
        "the first one, %(before)s, becomes %(after)s. Clients are not notified.",
        number,
    )
    times = {
        name: day_and_time(first.astimezone(location.time_zone), "D j M Y")
        for name, location in (("before", before), ("after", after))
    }
    return sentence % {"number": number, **times}
