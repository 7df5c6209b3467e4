"""Days on which staff members have as many appointments of a service as it allows a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, DateField, QuerySet, When
from django.db.models.functions import TruncDate

from appointments.availability.intervals import Interval, local_datetime
from appointments.availability.start_times import start_zone
from appointments.models import Appointment
from services.models import Service
from staff.models import Location, StaffMember

# Of the first and the last day, other appointments may lie outside the interval.
_LONGEST_DAY: Final = 25 * 60 * 60


def full_days(
    service: Service,
    people: Sequence[StaffMember],
    start: int,
    end: int,
    *,
    location: Location | None = None,
    ignoring: Appointment | None = None,
) -> defaultdict[int, list[Interval]]:
    """Return the full days around [start, end), by staff pk, as intervals of unix seconds.

    A day is one of the location or, without it, of the staff member. `ignoring` is an appointment that doesn't count.
    Takes one query for any number of people, and none if the service has no limit.
    """
    full: defaultdict[int, list[Interval]] = defaultdict(list)
    if service.most_per_person_and_day is None or not people:
        return full
    zones = {member.pk: start_zone(member, location) for member in people}
    for pk, day in _days_at_limit(service, service.most_per_person_and_day, zones, start, end, ignoring):
        full[pk].append(_day_interval(day, zones[pk]))
    return full


def day_around(moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the start of the zone's day that contains a moment, and of the next day."""
    day = moment.astimezone(zone).date()
    return datetime.combine(day, time(0), zone), datetime.combine(day + timedelta(days=1), time(0), zone)


def booked_on_day(service: Service, moment: datetime, zone: ZoneInfo) -> QuerySet[Appointment]:
    """Return the appointments of the service that take time on the zone's day that contains the moment."""
    first, last = day_around(moment, zone)
    return Appointment.objects.busy().filter(service=service, starts_at__gte=first, starts_at__lt=last).order_by()


def _days_at_limit(
    service: Service, limit: int, zones: dict[int, ZoneInfo], start: int, end: int, ignoring: Appointment | None
) -> QuerySet[Appointment, tuple[int, date]]:
    people_by_zone: dict[ZoneInfo, list[int]] = defaultdict(list)
    for pk, zone in zones.items():
        people_by_zone[zone].append(pk)
    local_days = [When(staff__in=pks, then=TruncDate("starts_at", tzinfo=zone)) for zone, pks in people_by_zone.items()]
    booked = Appointment.objects.busy().filter(
        service=service,
        staff__in=zones,
        starts_at__gte=datetime.fromtimestamp(start - _LONGEST_DAY, UTC),
        starts_at__lt=datetime.fromtimestamp(end + _LONGEST_DAY, UTC),
    )
    if ignoring is not None:
        booked = booked.exclude(pk=ignoring.pk)
    counted = booked.order_by().values("staff", day=Case(*local_days, output_field=DateField()))
    days: QuerySet[Appointment, tuple[int, date]] = (
        counted.annotate(number=Count("pk")).filter(number__gte=limit).order_by("day").values_list("staff", "day")
    )
    return days


def _day_interval(day: date, zone: ZoneInfo) -> Interval:
    return local_datetime(day, time(0), zone), local_datetime(day + timedelta(days=1), time(0), zone)
