"""Colleagues who can take over an appointment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from appointments.availability.calendars import Calendar, Durations, load_calendars_around
from appointments.availability.intervals import intersect, local_datetime
from appointments.booking.candidates import bookable_staff
from appointments.booking.working_places import working_places
from appointments.models import Appointment
from services.models import MeetingMethod
from staff.models import StaffMember


class Colleagues:
    """Staff who provide a service by a meeting method, read once and kept for many appointments."""

    def __init__(self) -> None:
        self._providers: dict[tuple[int, int, int | None], list[StaffMember]] = {}

    def of(self, appointment: Appointment) -> list[StaffMember]:
        """Return the other staff who can take the appointment: in person, those of its branch."""
        place = appointment.location if appointment.method == MeetingMethod.AT_LOCATION else None
        key = (appointment.service_id, appointment.method, place.pk if place else None)
        if key not in self._providers:
            people = bookable_staff(appointment.service, appointment.method)
            self._providers[key] = working_places(people, appointment.service).at(place, people) if place else people
        return [member for member in self._providers[key] if member.pk != appointment.staff_id]


def free_then(appointment: Appointment, people: Sequence[StaffMember], starts_at: datetime) -> list[StaffMember]:
    """Return those of the people who are free at the start, the least booked that day first.

    Takes a constant number of queries.
    """
    if not people:
        return []
    start, durations = int(starts_at.timestamp()), Durations.of_appointment(appointment)
    calendars = load_calendars_around(
        people,
        start,
        start + durations.duration,
        method=appointment.method,
        location=appointment.location,
        ignoring=appointment,
    )
    free = [member for member in people if _is_free(calendars[member.pk], start, durations)]
    return sorted(free, key=lambda member: (_booked_seconds(calendars[member.pk], starts_at, member), member.pk))


def _is_free(calendar: Calendar, start: int, durations: Durations) -> bool:
    is_taken = calendar.is_taken(start, durations) or calendar.is_off(start, durations)
    return calendar.is_open(start, durations) and not is_taken


def _booked_seconds(calendar: Calendar, at: datetime, member: StaffMember) -> int:
    """Return the seconds that the person is booked on that day of their own zone."""
    day = at.astimezone(member.zone).date()
    start, end = (local_datetime(day + timedelta(days=days), time(0), member.zone) for days in (0, 1))
    return sum(to - from_ for from_, to in intersect(calendar.busy, [(start, end)]))
