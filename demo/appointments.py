"""Two believable weeks of appointments, the present one and the next: the same rows for the same moment."""

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
    """Somebody who takes appointments, the services with the methods of each, and (unsaved) time off."""

    member: StaffMember
    person: Person
    services: Sequence[tuple[Service, Sequence[MeetingMethod]]]
    time_off: Sequence[TimeOff]

    def can_take(self, appointment: Appointment) -> bool:
        """Whether hours and time off leave room for it, buffers included."""
        start, end = appointment.busy_from, appointment.busy_to
        return (
            start.weekday() in self.person.days
            and any(opens <= start.time() and end.time() <= closes for opens, closes in self.person.hours)
            and not any(off.starts_at < end and start < off.ends_at for off in self.time_off)
        )


def monday_of(now: datetime, member: StaffMember) -> datetime:
    """Midnight of this week's Monday, on the wall clock of `member`."""
    midnight = now.astimezone(member.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday())


def time_off_of(person: Person, member: StaffMember, now: datetime) -> list[TimeOff]:
    """The person's absences as unsaved rows."""
    monday = monday_of(now, member)
    rows = []
    for absence in person.absences:
        day = monday + timedelta(days=absence.day)
        rows.append(
            TimeOff(
                staff=member,
                starts_at=_at(day, absence.start) if absence.start else day,
                ends_at=_at(day, absence.end) if absence.end else day + timedelta(days=absence.days),
                reason=absence.reason,
            )
        )
    return rows


def appointments_of(
    providers: Sequence[Provider], clients: Sequence[Client], booked_by: StaffMember, now: datetime
) -> list[Appointment]:
    """Unsaved appointments without overlaps. None is by video: that needs a connection first."""
    appointments: list[Appointment] = []
    for provider, start in _chosen(providers, now):
        number = len(appointments)
        appointment = _appointment(provider, start, number, now)
        if not provider.can_take(appointment):
            continue
        appointment.client = clients[number % len(clients)]
        if appointment.booked_through == BookedThrough.SCHEDULE:
            appointment.booked_by = booked_by
        appointments.append(appointment)
    return appointments


def _chosen(providers: Sequence[Provider], now: datetime) -> Iterator[tuple[Provider, datetime]]:
    """About two of five moments, spread so that every day has some and nobody has them all."""
    for day in DAYS:
        for position, provider in enumerate(providers):
            date = monday_of(now, provider.member) + timedelta(days=day)
            for slot, start in enumerate(STARTS):
                if (2 * day + 3 * position + slot) % 5 in (0, 2):
                    yield provider, _at(date, start)


def _appointment(provider: Provider, start: datetime, number: int, now: datetime) -> Appointment:
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
        status=_status(start, end, number, now),
        booked_through=BookedThrough.CLIENT_VIEW if by_client else BookedThrough.SCHEDULE,
    )


def _status(start: datetime, end: datetime, number: int, now: datetime) -> Status:
    if number % 11 == 7:
        return Status.CANCELLED
    if now < start:
        return Status.CONFIRMED
    if now < end:
        return Status.IN_PROGRESS
    return Status.NO_SHOW if number % 9 == 4 else Status.SERVED


def _at(day: datetime, moment: time) -> datetime:
    """That moment of the day on the wall clock, whatever daylight saving does at night."""
    return datetime.combine(day, moment, day.tzinfo)
