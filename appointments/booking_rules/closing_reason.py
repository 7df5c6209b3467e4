"""The closing of a location that keeps an appointment from being booked, as a sentence."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from services.models import MeetingMethod
from staff.closings.closed_days import ClosedDay, closed_day_of
from staff.models import Location, StaffMember


def closing_reason(
    staff: StaffMember, starts_at: datetime, duration: timedelta, method: int, location: Location | None
) -> str:
    """Return a sentence if the location's closing or other hours on that date forbid the time; "" otherwise."""
    closed = closed_day_at(staff, starts_at, duration, method, location)
    return _sentence(closed) if closed else ""


def closed_day_at(
    staff: StaffMember, starts_at: datetime, duration: timedelta, method: int, location: Location | None
) -> ClosedDay | None:
    """Return the closing or the other hours of the location on that date, if they forbid the time.

    Without `location` it is the staff member's home branch. Takes up to three queries.
    """
    in_person = method == MeetingMethod.AT_LOCATION
    place = (location if in_person else None) or staff.location
    if place is None:
        return None
    start = starts_at.astimezone(place.time_zone)
    end = (starts_at + duration).astimezone(place.time_zone)
    closed = closed_day_of(place, start.date(), in_person=in_person)
    if closed is None or (start.date() == end.date() and closed.is_open_between(start.time(), end.time())):
        return None
    return closed


def _sentence(closed: ClosedDay) -> str:
    params = {"place": closed.location.name, "day": date_format(closed.day, "j F"), "label": closed.label}
    if closed.hours:
        params["hours"] = closed.hours_text
        if closed.label:
            return _("%(place)s is open %(hours)s on %(day)s (%(label)s). Choose another time.") % params
        return _("%(place)s is open %(hours)s on %(day)s. Choose another time.") % params
    if closed.label:
        return _("%(place)s is closed on %(day)s (%(label)s). Choose another time.") % params
    return _("%(place)s is closed on %(day)s. Choose another time.") % params
