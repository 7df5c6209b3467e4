"""Marks on the appointments that a change of hours leaves outside them.

An appointment that staff booked outside the hours on purpose was outside before the change, too, and gets no mark.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import or_

from django.contrib.postgres.functions import TransactionNow
from django.db.models import Q
from django.utils import timezone

from appointments.availability.calendars import Durations, load_calendars
from appointments.changes.move import MOVABLE
from appointments.models import Appointment
from staff.models import Location


@contextmanager
def mark_left_outside(
    person: int | None, location: int | None, days: Collection[tuple[date, date]] | None
) -> Iterator[None]:
    """Mark the upcoming appointments that the block leaves outside the hours, and unmark those that are inside again.

    Of a person, or of a location and its staff; on some days, or on all of them. Takes a constant number of queries for
    one person.
    """
    scope = Q(staff=person) if person is not None else Q(location=location) | Q(staff__location=location)
    if days is not None:
        scope &= _starts_on(days)
    inside_before = _inside_hours(scope)
    yield
    if not inside_before:
        return
    inside_now = _inside_hours(scope)
    left = [pk for pk, was_inside in inside_before.items() if was_inside and not inside_now.get(pk, True)]
    Appointment.objects.filter(pk__in=left).update(outside_hours_since=TransactionNow(), left_cause="")
    back = [pk for pk, is_inside in inside_now.items() if is_inside]
    Appointment.objects.filter(pk__in=back, outside_hours_since__isnull=False).update(outside_hours_since=None)


def _starts_on(days: Collection[tuple[date, date]]) -> Q:
    """Return the condition of appointments on these days in any time zone, and on those beside them.

    Hours of the day before end where an exception begins.
    """
    periods = (
        Q(starts_at__gte=_midnight(first - timedelta(days=2)), starts_at__lt=_midnight(last + timedelta(days=3)))
        for first, last in days
    )
    return reduce(or_, periods, Q(pk__in=[]))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)


def _inside_hours(scope: Q) -> dict[int, bool]:
    """Return for each upcoming appointment whether it lies inside the hours of its staff member and location."""
    upcoming = Appointment.objects.filter(scope, status__in=MOVABLE, ends_at__gt=timezone.now()).order_by()
    appointments = list(upcoming.select_related("staff__location", "staff__organization", "location"))
    by_place: dict[tuple[int, Location | None], list[Appointment]] = defaultdict(list)
    for appointment in appointments:
        by_place[appointment.method, appointment.location].append(appointment)
    return {
        pk: is_inside
        for (method, place), booked in by_place.items()
        for pk, is_inside in _inside_at(method, place, booked)
    }


def _inside_at(method: int, place: Location | None, booked: Sequence[Appointment]) -> Iterator[tuple[int, bool]]:
    people = list({each.staff_id: each.staff for each in booked}.values())
    first, last = min(each.starts_at for each in booked), max(each.ends_at for each in booked)
    calendars = load_calendars(people, first.date(), last.date(), method=method, location=place)
    for each in booked:
        start = int(each.starts_at.timestamp())
        yield each.pk, calendars[each.staff_id].is_open(start, Durations.of_appointment(each))
