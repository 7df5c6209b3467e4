"""Days of the schedule: working hours, time off and appointments of staff."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet

from appointments.availability.calendars import Calendar, load_calendars
from appointments.availability.intervals import Interval, intersect, merged, subtract
from appointments.models import Appointment
from appointments.schedule.closings import ClosingNote, closing_notes, days_off
from appointments.schedule.rows import AppointmentRow, appointment_rows_between
from coconut.database.search import contains_word
from services.models import MeetingMethod, Service, ServiceAssignment
from staff.models import Location, Role, StaffMember, WorkingHours
from staff.pagination import search_words

# Hours that a day shows at least. Earlier and later appointments extend them.
_FIRST_HOUR, _LAST_HOUR = 8, 18
_SATURDAY = 5
TimeRange = tuple[datetime, datetime]


@dataclass(frozen=True)
class Column:
    """Days of a staff member."""

    member: StaffMember
    appointments: list[AppointmentRow]
    # Working hours, closed hours and time off.
    working: list[TimeRange]
    closed: list[TimeRange]
    away: list[TimeRange]


@dataclass(frozen=True)
class Schedule:
    """Days of the schedule in the viewer's time zone, with a column per staff member."""

    first: date
    length: int
    zone: ZoneInfo
    columns: list[Column]
    closings: list[ClosingNote]

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.length - 1)

    @property
    def noon(self) -> datetime:
        """Return noon of the first day, which has the day's usual UTC offset."""
        return datetime.combine(self.first, time(12), self.zone)

    @property
    def hours(self) -> tuple[int, int]:
        """Return the first and the last hour (0 to 24) to show."""
        needed = [_full_hours(from_.astimezone(self.zone), to.astimezone(self.zone)) for from_, to in self._shown()]
        first, last = zip((_FIRST_HOUR, _LAST_HOUR), *needed, strict=True)
        return min(first), max(last)

    @cached_property
    def days(self) -> list[date]:
        """Return the days to show. A week leaves out an empty weekend."""
        every = [self.first + timedelta(days=number) for number in range(self.length)]
        if self.length == 1:
            return every
        used_days = {start.astimezone(self.zone).date() for start, _end in self._shown()}
        return [day for day in every if day.weekday() < _SATURDAY or day in used_days]

    def _shown(self) -> list[TimeRange]:
        """Return appointments and working hours, cut to the days."""
        start, end = bounds(self.first, self.length, self.zone)
        taken = [(a.starts_at, a.ends_at) for column in self.columns for a in column.appointments]
        working = [time_range for column in self.columns for time_range in column.working]
        return [(max(from_, start), min(to, end)) for from_, to in taken + working]


def people_on(
    viewer: StaffMember,
    first: date,
    length: int = 1,
    *,
    location: Location | None = None,
    service: Service | None = None,
    only: StaffMember | None = None,
    search: str = "",
) -> QuerySet[StaffMember]:
    """Return the staff members that the viewer may see. Staff see only themselves."""
    people = StaffMember.objects.filter(organization=viewer.organization_id).select_related("location", "organization")
    if not viewer.can_schedule:
        return people.filter(pk=viewer.pk)
    people = people.filter(_works_here() | Exists(_taken_on(first, length, viewer.zone)))
    if location is not None:
        people = people.filter(location=location)
    if service is not None:
        people = people.filter(services=service)
    if only is not None:
        people = people.filter(pk=only.pk)
    for word in search_words(search):
        people = people.filter(contains_word(word))
    return people


def schedule_of(people: Sequence[StaffMember], first: date, length: int, zone: ZoneInfo) -> Schedule:
    """Return the days of these staff members, with a constant number of queries."""
    start, end = bounds(first, length, zone)
    # Hours for calls: a closed branch may stop only appointments in person.
    last = first + timedelta(days=length - 1)
    calendars = load_calendars(people, first, last, method=MeetingMethod.PHONE)
    appointments: dict[int, list[AppointmentRow]] = defaultdict(list)
    for booked in appointment_rows_between(people, start, end):
        appointments[booked.staff_id].append(booked)
    whole = [(int(start.timestamp()), int(end.timestamp()))]
    off = days_off(people, first - timedelta(days=1), last + timedelta(days=1))
    columns = [_column(m, appointments[m.pk], calendars[m.pk], off.get(m.pk, []), whole) for m in people]
    locations = {member.location for member in people if member.location}
    return Schedule(first, length, zone, columns, closing_notes(locations, first, last))


def bounds(first: date, length: int, zone: ZoneInfo) -> TimeRange:
    """Return the midnights around `length` days."""
    after = first + timedelta(days=length)
    return datetime.combine(first, time(0), zone), datetime.combine(after, time(0), zone)


def _full_hours(start: datetime, end: datetime) -> tuple[int, int]:
    """Return the hours of a day that contain a time range. A range past midnight needs all later hours."""
    if start.date() == end.date():
        return start.hour, end.hour + bool(end.minute)
    return (start.hour if end.time() == time(0) else 0), 24


def _column(
    member: StaffMember,
    appointments: list[AppointmentRow],
    calendar: Calendar,
    days_off: list[Interval],
    whole: list[Interval],
) -> Column:
    hours, off = intersect(calendar.hours, whole), intersect(merged(calendar.off + days_off), whole)
    return Column(
        member,
        appointments,
        working=_time_ranges(subtract(hours, off)),
        closed=_time_ranges(subtract(subtract(whole, hours), off)),
        away=_time_ranges(off),
    )


def _works_here() -> Q:
    providing = Exists(ServiceAssignment.objects.filter(staff=OuterRef("pk")))
    hours = Exists(WorkingHours.objects.filter(staff=OuterRef("pk")))
    return Q(is_active=True) & (Q(role=Role.STAFF) | Q(providing) | Q(hours))


def _taken_on(first: date, length: int, zone: ZoneInfo) -> QuerySet[Appointment]:
    start, end = bounds(first, length, zone)
    return Appointment.objects.busy().filter(staff=OuterRef("pk"), starts_at__lt=end, ends_at__gt=start)


def _time_ranges(intervals: list[Interval]) -> list[TimeRange]:
    return [(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)) for start, end in intervals]
