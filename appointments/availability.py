"""When somebody can be booked: hours, time off, what is taken, and the service's own rules.

The questions are answered by arithmetic over integers (`appointments.spans`); `load_calendars` fetches what they need
with the same number of queries for one staff member as for all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary
from django.db.models import Func, prefetch_related_objects

from appointments.models import Appointment
from appointments.spans import (
    DAY_SECONDS,
    Span,
    WeeklySpan,
    contains,
    grid,
    intersect,
    local_moment,
    merged,
    subtract,
    weekly_spans,
)
from services.models import Service
from staff.models import Location, LocationHours, StaffMember, TimeOff, WorkingHours

GRID_SECONDS = 15 * 60
# How far one look for the next free times reaches; the horizon takes several.
SEARCH_DAYS = 14


@dataclass(frozen=True)
class Lengths:
    """How long an appointment takes, in seconds: itself, and the buffers that nobody else may take."""

    duration: int
    before: int = 0
    after: int = 0

    @classmethod
    def of_service(cls, service: Service) -> Lengths:
        return cls(service.duration * 60, service.buffer_before * 60, service.buffer_after * 60)

    @classmethod
    def of_appointment(cls, appointment: Appointment) -> Lengths:
        """As it was booked, whatever became of the service since."""
        return cls(
            duration=int((appointment.ends_at - appointment.starts_at).total_seconds()),
            before=int((appointment.starts_at - appointment.busy_from).total_seconds()),
            after=int((appointment.busy_to - appointment.ends_at).total_seconds()),
        )

    def starts_within(self, hours: list[Span]) -> list[Span]:
        """Starts at which the appointment itself lies inside one stretch of hours; buffers may reach outside."""
        return merged((start, end - self.duration + 1) for start, end in hours)

    def starts_during(self, off: list[Span]) -> list[Span]:
        """Starts at which the appointment itself would touch time off."""
        return merged((start - self.duration + 1, end) for start, end in off)

    def starts_clashing(self, busy: list[Span]) -> list[Span]:
        """Starts at which the appointment with its buffers would touch what is taken (buffers included)."""
        return merged((start - self.duration - self.after + 1, end + self.before) for start, end in busy)


@dataclass(frozen=True)
class Calendar:
    """One staff member over some days: when they work at an open place, are off, and are taken."""

    hours: list[Span]
    off: list[Span]
    busy: list[Span]

    def free(self, lengths: Lengths) -> list[Span]:
        """Every moment at which an appointment of these lengths may start."""
        starts = subtract(lengths.starts_within(self.hours), lengths.starts_during(self.off))
        return subtract(starts, lengths.starts_clashing(self.busy))

    def is_open(self, start: int, lengths: Lengths) -> bool:
        return contains(lengths.starts_within(self.hours), start)

    def is_off(self, start: int, lengths: Lengths) -> bool:
        return contains(lengths.starts_during(self.off), start)

    def is_taken(self, start: int, lengths: Lengths) -> bool:
        return contains(lengths.starts_clashing(self.busy), start)


def earliest_start(service: Service, now: datetime, *, for_clients: bool) -> int:
    """The first moment that may be booked: clients must keep the service's minimum notice."""
    notice = service.minimum_notice * 60 if for_clients else 0
    return -int(-(now.timestamp() + notice) // 1)


def latest_start(service: Service, now: datetime, *, for_clients: bool) -> int:
    """The last moment that may be booked: clients must keep to the service's horizon."""
    days = service.booking_horizon_days if for_clients else 10 * 366
    return int(now.timestamp()) + days * DAY_SECONDS


def free_starts(
    service: Service,
    staff: Sequence[StaffMember],
    first_day: date,
    last_day: date,
    now: datetime,
    *,
    for_clients: bool = False,
    location: Location | None = None,
) -> dict[int, list[datetime]]:
    """The quarter hours at which each of the staff can start this service, in UTC, by staff pk.

    Days are each staff member's own, both included. Minimum notice and horizon hold for clients only. Who can host a
    video call is not looked at. A constant number of queries.
    """
    lengths = Lengths.of_service(service)
    bookable = [
        (
            earliest_start(service, now, for_clients=for_clients),
            latest_start(service, now, for_clients=for_clients) + 1,
        )
    ]
    calendars = load_calendars(staff, first_day, last_day, location=location)
    return {
        member.pk: _on_grid(
            intersect(
                intersect(calendars[member.pk].free(lengths), _days(member, first_day, last_day)), bookable
            )
        )
        for member in staff
    }


def next_free(
    service: Service,
    member: StaffMember,
    after: datetime,
    how_many: int = 3,
    *,
    lengths: Lengths | None = None,
    for_clients: bool = False,
    location: Location | None = None,
    ignoring: Appointment | None = None,
    now: datetime | None = None,
) -> list[datetime]:
    """The next quarter hours at or after a moment at which this person is free, in UTC, up to the horizon.

    `lengths` replaces the service's own; `ignoring` is an appointment that is being moved.
    """
    now = now or datetime.now(UTC)
    lengths = lengths or Lengths.of_service(service)
    earliest = max(int(after.timestamp()), earliest_start(service, now, for_clients=for_clients))
    latest = latest_start(service, now, for_clients=True) + 1
    found: list[datetime] = []
    while earliest < latest and len(found) < how_many:
        until = min(earliest + SEARCH_DAYS * DAY_SECONDS, latest)
        calendar = load_calendar(member, earliest, until, location=location, ignoring=ignoring)
        found += _on_grid(intersect(calendar.free(lengths), [(earliest, until)]))
        earliest = until
    return found[:how_many]


def is_within_hours(
    member: StaffMember, starts_at: datetime, ends_at: datetime, *, location: Location | None = None
) -> bool:
    """Whether the staff member works, at an open place, from start to end. Time off is not looked at."""
    start, end = int(starts_at.timestamp()), int(ends_at.timestamp())
    calendar = load_calendar(member, start, end, location=location)
    return calendar.is_open(start, Lengths(end - start))


def load_calendar(
    member: StaffMember,
    start: int,
    end: int,
    *,
    location: Location | None = None,
    ignoring: Appointment | None = None,
) -> Calendar:
    """One person's calendar around [start, end), in unix seconds."""
    first_day = datetime.fromtimestamp(start, member.zone).date()
    last_day = datetime.fromtimestamp(end, member.zone).date()
    calendars = load_calendars([member], first_day, last_day, location=location, ignoring=ignoring)
    return calendars[member.pk]


def load_calendars(
    staff: Sequence[StaffMember],
    first_day: date,
    last_day: date,
    *,
    location: Location | None = None,
    ignoring: Appointment | None = None,
) -> dict[int, Calendar]:
    """The calendars of these people over whole days and the day around them, with a constant number of queries.

    The place is `location`, or where each person works; people without one are bound by no place's hours.
    """
    prefetch_related_objects(staff, "location", "organization")
    first_day, last_day = first_day - timedelta(days=1), last_day + timedelta(days=1)
    from_, to = _moment(first_day - timedelta(days=1)), _moment(last_day + timedelta(days=2))
    places = {member.pk: location or member.location for member in staff}
    working = _weekly(WorkingHours.objects.filter(staff__in=staff).values_list("staff", *_HOURS))
    open_ = _weekly(
        LocationHours.objects.filter(location__in={p.pk for p in places.values() if p}).values_list(
            "location", *_HOURS
        )
    )
    off = _spans(
        TimeOff.objects.filter(staff__in=staff, starts_at__lt=to, ends_at__gt=from_).values_list(
            "staff", "starts_at", "ends_at"
        )
    )
    busy = _busy(staff, from_, to, ignoring)

    def hours_of(member: StaffMember) -> list[Span]:
        spans = weekly_spans(working[member.pk], member.zone, first_day, last_day)
        place = places[member.pk]
        if place is None or place.pk not in open_:
            return spans
        return intersect(spans, weekly_spans(open_[place.pk], place.time_zone, first_day, last_day))

    return {
        member.pk: Calendar(hours_of(member), merged(off[member.pk]), merged(busy[member.pk]))
        for member in staff
    }


_HOURS = ("weekday", "start", "end")


def _busy(
    staff: Sequence[StaffMember], from_: datetime, to: datetime, ignoring: Appointment | None
) -> dict[int, list[Span]]:
    # Written as the exclusion constraint is, so that its index answers.
    taken = Func(
        "busy_from", "busy_to", RangeBoundary(), function="TSTZRANGE", output_field=DateTimeRangeField()
    )
    return _spans(
        Appointment.objects.busy()
        .alias(taken=taken)
        .filter(staff__in=staff, taken__overlap=(from_, to))
        .exclude(pk__in=[ignoring.pk] if ignoring else [])
        .values_list("staff", "busy_from", "busy_to")
    )


def _spans(rows: Iterable[tuple[int, datetime, datetime]]) -> dict[int, list[Span]]:
    spans: dict[int, list[Span]] = defaultdict(list)
    for owner, start, end in rows:
        spans[owner].append((int(start.timestamp()), -int(-end.timestamp() // 1)))
    return spans


def _weekly(rows: Iterable[tuple[int, int, time, time]]) -> dict[int, list[WeeklySpan]]:
    hours: dict[int, list[WeeklySpan]] = defaultdict(list)
    for owner, weekday, start, end in rows:
        hours[owner].append((weekday, start, end))
    return hours


def _days(member: StaffMember, first_day: date, last_day: date) -> list[Span]:
    start = local_moment(first_day, time(0), member.zone)
    return [(start, local_moment(last_day + timedelta(days=1), time(0), member.zone))]


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)


def _on_grid(starts: list[Span]) -> list[datetime]:
    """Every zone's offset is a whole number of quarter hours, so that one grid serves all."""
    return [datetime.fromtimestamp(start, UTC) for start in grid(starts, GRID_SECONDS)]
