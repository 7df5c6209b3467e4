"""Working calendars of staff members: opening hours, time off and busy time, as intervals of unix seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from django.db.models import prefetch_related_objects

from appointments.availability.calendar_query import (
    CalendarRows,
    HoursRows,
    OverrideRow,
    WeeklyRow,
    load_calendar_rows,
)
from appointments.availability.intervals import Interval, contains, merged, subtract
from appointments.availability.open_hours import DayException, Hours, Span, Week, bookable_intervals, opening_intervals
from appointments.models import Appointment
from services.models import MeetingMethod, Service
from staff.models import Location, StaffMember

# Later than any appointment: in the year 2286.
_END_OF_TIME: Final = 10**10


@dataclass(frozen=True)
class Durations:
    """Duration of an appointment and the buffers around it, in seconds."""

    duration: int
    before: int = 0
    after: int = 0

    @classmethod
    def of_service(cls, service: Service) -> Durations:
        """Return the durations of new appointments of a service."""
        return cls(service.duration * 60, service.buffer_before * 60, service.buffer_after * 60)

    @classmethod
    def of_appointment(cls, appointment: Appointment) -> Durations:
        """Return the durations as booked, even if the service has changed since."""
        return cls(
            duration=int((appointment.ends_at - appointment.starts_at).total_seconds()),
            before=int((appointment.starts_at - appointment.busy_from).total_seconds()),
            after=int((appointment.busy_to - appointment.ends_at).total_seconds()),
        )

    def starts_within(self, hours: list[Interval]) -> list[Interval]:
        """Return the starts that keep the appointment inside one interval of hours. Buffers may reach outside."""
        return merged((start, end - self.duration + 1) for start, end in hours)

    def starts_during(self, off: list[Interval]) -> list[Interval]:
        """Return the starts at which the appointment, without its buffers, would overlap time off."""
        return merged((start - self.duration + 1, end) for start, end in off)

    def starts_clashing(self, busy: list[Interval]) -> list[Interval]:
        """Return the starts at which the appointment, with its buffers, would overlap busy time."""
        return merged((start - self.duration - self.after + 1, end + self.before) for start, end in busy)


@dataclass(frozen=True)
class Calendar:
    """Hours, time off and busy time of one staff member over some days.

    `hours` are those in which the meeting method can be booked. `busy` includes buffers.
    """

    hours: list[Interval]
    off: list[Interval]
    busy: list[Interval]

    def free(self, durations: Durations) -> list[Interval]:
        """Return the intervals in which an appointment of these durations may start."""
        starts = subtract(durations.starts_within(self.hours), durations.starts_during(self.off))
        return subtract(starts, durations.starts_clashing(self.busy))

    def is_open(self, start: int, durations: Durations) -> bool:
        return contains(durations.starts_within(self.hours), start)

    def is_off(self, start: int, durations: Durations) -> bool:
        return contains(durations.starts_during(self.off), start)

    def is_taken(self, start: int, durations: Durations) -> bool:
        return contains(durations.starts_clashing(self.busy), start)


def load_calendar(
    member: StaffMember,
    start: int,
    end: int,
    *,
    method: int = MeetingMethod.AT_LOCATION,
    location: Location | None = None,
    ignoring: Appointment | None = None,
) -> Calendar:
    """Load one staff member's calendar around [start, end), in unix seconds."""
    calendars = load_calendars_around([member], start, end, method=method, location=location, ignoring=ignoring)
    return calendars[member.pk]


def load_calendars_around(
    people: Sequence[StaffMember],
    start: int,
    end: int,
    *,
    method: int = MeetingMethod.AT_LOCATION,
    location: Location | None = None,
    ignoring: Appointment | None = None,
    busy_margin: int | None = None,
) -> dict[int, Calendar]:
    """Load the calendars of the days from `start` to `end`, in unix seconds; see `load_calendars`.

    With `busy_margin`, busy time is only that of [start, end) and of as many seconds before and after.
    """
    prefetch_related_objects(people, "location", "organization")
    zones = {member.zone for member in people}
    first_day = min(datetime.fromtimestamp(start, zone).date() for zone in zones)
    last_day = max(datetime.fromtimestamp(end, zone).date() for zone in zones)
    busy_within = None
    if busy_margin is not None:
        busy_within = (_utc(start - busy_margin), _utc(end + busy_margin))
    return load_calendars(
        people, first_day, last_day, method=method, location=location, ignoring=ignoring, busy_within=busy_within
    )


def load_calendars(
    people: Sequence[StaffMember],
    first_day: date,
    last_day: date,
    *,
    method: int = MeetingMethod.AT_LOCATION,
    location: Location | None = None,
    ignoring: Appointment | None = None,
    busy_within: tuple[datetime, datetime] | None = None,
) -> dict[int, Calendar]:
    """Load the calendars of some staff members, by staff pk, for these days and the day before and after.

    An appointment in person takes place at `location` or, without it, at each person's home branch. `location` doesn't
    matter for other methods. `ignoring` is an appointment whose own time counts as free. Takes one query for any number
    of people, one each for locations and organisations that aren't loaded, and two more if a person works away from
    these locations.
    """
    prefetch_related_objects(people, "location", "organization")
    first_day, last_day = first_day - timedelta(days=1), last_day + timedelta(days=1)
    # Zones are up to 14 hours away from UTC, in which the days are counted here.
    start, end = _midnight(first_day - timedelta(days=1)), _midnight(last_day + timedelta(days=2))
    in_person = method == MeetingMethod.AT_LOCATION
    zones = {place.pk: place.time_zone for member in people if (place := location if in_person else member.location)}
    zones |= {member.location.pk: member.location.time_zone for member in people if member.location}
    rows = load_calendar_rows(
        [member.pk for member in people],
        zones,
        start,
        end,
        ignored=ignoring.pk if ignoring else None,
        busy_within=busy_within,
    )
    if not in_person:
        zones |= _load_other_locations(rows, zones, start, end)
    branches = {pk: _hours_of(rows.opening, pk, zone) for pk, zone in zones.items()}

    def hours_of(member: StaffMember) -> list[Interval]:
        own = _hours_of(rows.working, member.pk, member.zone, home=member.location_id)
        at = (location.pk if location else member.location_id) if in_person else None
        concerned = {at} if in_person else _places_of(own)
        known = tuple((pk, branches[pk]) for pk in sorted(pk for pk in concerned if pk is not None))
        return bookable_intervals(own, known, first_day, last_day, at=at, in_person=in_person)

    return {
        member.pk: Calendar(
            hours_of(member),
            merged([*rows.time_off[member.pk], *_after_last_day(member)]),
            merged(rows.busy_time[member.pk]),
        )
        for member in people
    }


def load_opening(zones: Mapping[int, tzinfo], first_day: date, last_day: date, *, in_person: bool) -> list[Interval]:
    """Return when at least one of these locations, by pk with their time zones, is open. Takes one query."""
    start, end = _midnight(first_day - timedelta(days=2)), _midnight(last_day + timedelta(days=3))
    rows = load_calendar_rows([], zones, start, end).opening
    found = (
        opening_intervals(_hours_of(rows, pk, zone), first_day, last_day, in_person=in_person)
        for pk, zone in zones.items()
    )
    return merged(interval for intervals in found for interval in intervals)


def _load_other_locations(
    rows: CalendarRows, known: Collection[int], start: datetime, end: datetime
) -> dict[int, tzinfo]:
    """Add the rows of other locations where the people work; return the time zones of these by pk."""
    weekly = (row.place for own in rows.working.weekly.values() for row in own)
    overrides = (row.place for own in rows.working.overrides.values() for row in own)
    others = {place for place in (*weekly, *overrides) if place is not None} - {*known}
    if not others:
        return {}
    more = load_calendar_rows([], others, start, end).opening
    rows.opening.weekly.update(more.weekly)
    rows.opening.overrides.update(more.overrides)
    rows.opening.holidays.update(more.holidays)
    return dict(Location.objects.filter(pk__in=others).order_by().values_list("pk", "time_zone"))


def _after_last_day(member: StaffMember) -> list[Interval]:
    """Return the time after the person's last working day, as time off without an end."""
    return [] if member.leaves_at is None else [(int(member.leaves_at.timestamp()), _END_OF_TIME)]


def _hours_of(rows: HoursRows, pk: int, zone: tzinfo, *, home: int | None = None) -> Hours:
    """Return the hours of a staff member or a location. Hours without a location of their own are at `home`."""
    return Hours(
        zone,
        _weeks(rows.weekly[pk], home) if pk in rows.weekly else (),
        _overrides(rows.overrides[pk], home) if pk in rows.overrides else (),
        rows.holidays.get(pk),
    )


def _weeks(rows: Iterable[WeeklyRow], home: int | None) -> tuple[Week, ...]:
    """Return the weeks by start. The order of rows doesn't matter, so that staff with equal hours share a result."""
    by_start: dict[date | None, list[tuple[int, Span]]] = defaultdict(list)
    for row in rows:
        by_start[row.starts_on].append((row.weekday, Span(row.start, row.end, row.place or home)))
    starts = sorted(by_start, key=lambda start: start or date.min)
    return tuple(Week(start, tuple(sorted(by_start[start], key=_weekday_and_start))) for start in starts)


def _weekday_and_start(row: tuple[int, Span]) -> tuple[int, time]:
    return row[0], row[1].start


def _overrides(rows: Iterable[OverrideRow], home: int | None) -> tuple[DayException, ...]:
    spans: dict[int, list[Span]] = defaultdict(list)
    exceptions: dict[int, OverrideRow] = {}
    for row in rows:
        exceptions[row.pk] = row
        if row.start is not None and row.end is not None:
            spans[row.pk].append(Span(row.start, row.end, row.place or home))
    by_day = sorted(exceptions.values(), key=lambda row: row.first_day)
    return tuple(
        DayException(
            row.first_day, row.last_day, tuple(sorted(spans[row.pk], key=lambda span: span.start)), row.all_methods
        )
        for row in by_day
    )


def _places_of(hours: Hours) -> set[int | None]:
    usual = {span.place for week in hours.weeks for _weekday, span in week.spans}
    return usual | {span.place for exception in hours.overrides for span in exception.spans}


def _utc(moment: int) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)
