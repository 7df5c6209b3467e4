"""One day of the organisation: who works, when, and what they have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet

from appointments.availability import Calendar, load_calendars
from appointments.models import Appointment, Status
from appointments.spans import Span, intersect, subtract
from services.models import Service, ServiceAssignment
from staff.models import Location, Role, StaffMember, WorkingHours

# What a day shows at least, in hours; earlier and later appointments stretch it.
_FIRST_HOUR, _LAST_HOUR = 8, 18
Stretch = tuple[datetime, datetime]


@dataclass(frozen=True)
class Column:
    """One person's day."""

    member: StaffMember
    appointments: list[Appointment]
    # When they can be booked by their hours, when not, and when they are away.
    working: list[Stretch]
    closed: list[Stretch]
    away: list[Stretch]


@dataclass(frozen=True)
class Day:
    """A day in the viewer's zone, with a column per person."""

    date: date
    zone: ZoneInfo
    columns: list[Column]

    @property
    def noon(self) -> datetime:
        """A moment of the day that has the day's offset, whatever its clocks do at night."""
        return datetime.combine(self.date, time(12), self.zone)

    @property
    def hours(self) -> tuple[int, int]:
        """The first and the last full hour (0 to 24) that must show for everything to be seen."""
        local = [moment.astimezone(self.zone) for moment in self._edges()]
        on_the_day = [moment for moment in local if moment.date() == self.date]
        first = min([moment.hour for moment in on_the_day], default=_FIRST_HOUR)
        last = max([moment.hour + bool(moment.minute) for moment in on_the_day], default=_LAST_HOUR)
        overnight = any(moment.date() > self.date for moment in local)
        return min(first, _FIRST_HOUR), 24 if overnight else max(last, _LAST_HOUR)

    def _edges(self) -> list[datetime]:
        taken = [(a.starts_at, a.ends_at) for column in self.columns for a in column.appointments]
        working = [stretch for column in self.columns for stretch in column.working]
        return [moment for stretch in taken + working for moment in stretch]


def people_on(
    viewer: StaffMember,
    day: date,
    *,
    location: Location | None = None,
    service: Service | None = None,
    search: str = "",
) -> QuerySet[StaffMember]:
    """Whose day the viewer may see: staff only their own; others everybody who works here or has an appointment."""
    people = StaffMember.objects.filter(organization=viewer.organization_id).select_related("location")
    if not viewer.can_schedule:
        return people.filter(pk=viewer.pk)
    people = people.filter(_works_here() | Exists(_appointments_on(day, viewer.zone)))
    if location is not None:
        people = people.filter(location=location)
    if service is not None:
        people = people.filter(
            Exists(ServiceAssignment.objects.filter(service=service, staff=OuterRef("pk")))
        )
    for word in search.split():
        people = people.filter(
            Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(email__icontains=word)
        )
    return people


def day_of(people: Sequence[StaffMember], day: date, zone: ZoneInfo) -> Day:
    """The day of these people, with a constant number of queries."""
    start, end = _bounds(day, zone)
    calendars = load_calendars(people, day, day)
    appointments: dict[int, list[Appointment]] = defaultdict(list)
    for appointment in _shown(start, end).filter(staff__in=people):
        appointments[appointment.staff_id].append(appointment)
    whole = [(int(start.timestamp()), int(end.timestamp()))]
    return Day(day, zone, [_column(m, appointments[m.pk], calendars[m.pk], whole) for m in people])


def _column(
    member: StaffMember, appointments: list[Appointment], calendar: Calendar, whole: list[Span]
) -> Column:
    hours, off = intersect(calendar.hours, whole), intersect(calendar.off, whole)
    return Column(
        member,
        appointments,
        working=_stretches(subtract(hours, off)),
        closed=_stretches(subtract(subtract(whole, hours), off)),
        away=_stretches(off),
    )


def _works_here() -> Q:
    providing = Exists(ServiceAssignment.objects.filter(staff=OuterRef("pk")))
    hours = Exists(WorkingHours.objects.filter(staff=OuterRef("pk")))
    return Q(is_active=True) & (Q(role=Role.STAFF) | Q(providing) | Q(hours))


def _appointments_on(day: date, zone: ZoneInfo) -> QuerySet[Appointment]:
    start, end = _bounds(day, zone)
    return Appointment.objects.busy().filter(staff=OuterRef("pk"), starts_at__lt=end, ends_at__gt=start)


def _shown(start: datetime, end: datetime) -> QuerySet[Appointment]:
    return (
        Appointment.objects.exclude(status=Status.CANCELLED)
        .filter(starts_at__lt=end, ends_at__gt=start)
        .select_related("client", "service", "meeting")
        .order_by("starts_at")
    )


def _bounds(day: date, zone: ZoneInfo) -> Stretch:
    return datetime.combine(day, time(0), zone), datetime.combine(day + timedelta(days=1), time(0), zone)


def _stretches(spans: list[Span]) -> list[Stretch]:
    return [(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)) for start, end in spans]
