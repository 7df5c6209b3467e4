"""Appointments of this week and the next: the same rows for the same datetime."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from appointments.models import Appointment, BookedThrough, Client, Status
from demo.organizations import Person
from services.models import MeetingMethod, Service
from staff.models import StaffMember, TimeOff

# Far enough apart for the longest service with its buffers.
STARTS = (time(9, 30), time(11), time(13, 30), time(15))
# Counted from Monday: the weekdays of two weeks.
DAYS = (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)


@dataclass(frozen=True)
class Provider:
    """A staff member who takes appointments, with services, the methods of each service, and unsaved time off."""

    member: StaffMember
    person: Person
    services: Sequence[tuple[Service, Sequence[MeetingMethod]]]
    time_off: Sequence[TimeOff]

    def can_take(self, appointment: Appointment) -> bool:
        """Return whether the appointment with its buffers fits into hours and time off."""
        start, end = appointment.busy_from, appointment.busy_to
        return (
            start.weekday() in self.person.days
            and any(opens <= start.time() and end.time() <= closes for opens, closes in self.person.hours)
            and not any(off.starts_at < end and start < off.ends_at for off in self.time_off)
        )


def monday_of(now: datetime, member: StaffMember) -> datetime:
    """Return midnight of this week's Monday in the time zone of `member`."""
    midnight = now.astimezone(member.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday())


def time_off_of(person: Person, member: StaffMember, now: datetime) -> list[TimeOff]:
    """Return the person's absences as unsaved rows."""
    monday = monday_of(now, member)
    rows = []
    for absence in person.absences:
        day = monday + timedelta(days=absence.day)
        rows.append(
            TimeOff(
                staff=member,
                starts_at=_datetime_at(day, absence.start) if absence.start else day,
                ends_at=_datetime_at(day, absence.end) if absence.end else day + timedelta(days=absence.days),
                reason=absence.reason,
            )
        )
    return rows


def appointments_of(
    providers: Sequence[Provider], clients: Sequence[Client], booked_by: StaffMember, now: datetime
) -> list[Appointment]:
    """Return unsaved appointments without overlaps. None is by video, which needs a connection."""
    appointments: list[Appointment] = []
    for provider, start in _chosen_starts(providers, now):
        number = len(appointments)
        appointment = _unsaved_appointment(provider, start, number, now)
        if not provider.can_take(appointment):
            continue
        appointment.client = clients[number % len(clients)]
        if appointment.booked_through == BookedThrough.SCHEDULE:
            appointment.booked_by = booked_by
        appointments.append(appointment)
    return appointments


def _chosen_starts(providers: Sequence[Provider], now: datetime) -> Iterator[tuple[Provider, datetime]]:
    """Yield about two of five possible starts, spread over all days and providers."""
    for day in DAYS:
        for position, provider in enumerate(providers):
            date = monday_of(now, provider.member) + timedelta(days=day)
            for slot, start in enumerate(STARTS):
                if (2 * day + 3 * position + slot) % 5 in (0, 2):
                    yield provider, _datetime_at(date, start)


def _unsaved_appointment(provider: Provider, start: datetime, number: int, now: datetime) -> Appointment:
    service, methods = provider.services[number % len(provider.services)]
    end = start + timedelta(minutes=service.duration)
    method = methods[number % len(methods)]
    by_client = service.public and number % 3 == 0
    return Appointment(
        organization=service.organization,
        service=service,
        staff=provider.member,
        location=provider.member.location if method == MeetingMethod.AT_LOCATION else None,
        starts_at=start,
        ends_at=end,
        busy_from=start - timedelta(minutes=service.buffer_before),
        busy_to=end + timedelta(minutes=service.buffer_after),
        method=method,
        status=_status_at(start, end, number, now),
        booked_through=BookedThrough.CLIENT_VIEW if by_client else BookedThrough.SCHEDULE,
    )


def _status_at(start: datetime, end: datetime, number: int, now: datetime) -> Status:
    if number % 11 == 7:
        return Status.CANCELLED
    if now < start:
        return Status.CONFIRMED
    if now < end:
        return Status.IN_PROGRESS
    return Status.NO_SHOW if number % 9 == 4 else Status.SERVED


def _datetime_at(day: datetime, wall_time: time) -> datetime:
    """Return the datetime at `wall_time` on `day`, also when the clocks change on that day."""
    return datetime.combine(day, wall_time, day.tzinfo)
