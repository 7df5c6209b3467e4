"""Book with any staff: with the person who is free and has the fewest hours booked that day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import time, timedelta
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from appointments.availability.any_staff import AnyStaffSearch
from appointments.availability.calendars import Calendar, load_calendars_around
from appointments.availability.daily_limits import full_days
from appointments.availability.intervals import contains, intersect, local_datetime
from appointments.availability.next_free import next_free_of_any_staff
from appointments.availability.staff_pool import StaffPool
from appointments.booking.book import Booking, attempt_booking, find_repeated_booking
from appointments.booking_rules.errors import (
    BookingError,
    ClientLimitReached,
    StaffUnavailable,
    TimeTaken,
    TimeUnavailable,
)
from appointments.booking_rules.lost_race import run_with_retry
from appointments.booking_rules.validation import (
    SlotRequest,
    check_allowed,
    check_same_organization,
    people_with_start,
)
from appointments.models import Appointment
from staff.models import StaffMember


def book_with_any_staff(
    *, people: StaffPool | Sequence[StaffMember], first: StaffMember | None = None, **booking: Any
) -> Appointment:
    """Book with one of these people; see `book_appointment` for the other arguments and the guarantees.

    `first` is the staff member whose time the page showed, and is tried first. If a person is no longer available,
    the next one is tried. Raises BookingError, or TimeTaken with the next times at which any of them is free.
    """
    wanted = Booking(**booking)
    check_same_organization(wanted.organization, wanted.rows)
    try:
        return _book_first_available(wanted, StaffPool.of(people), first)
    except (BookingError, IntegrityError):
        if (existing := find_repeated_booking(wanted)) is not None:
            return existing
        raise


def _book_first_available(wanted: Booking, people: StaffPool, first: StaffMember | None) -> Appointment:
    for member in _free_staff_in_order(wanted, people, first):
        check_same_organization(wanted.organization, {"staff": member})
        try:
            return run_with_retry(lambda member=member: attempt_booking(wanted, member))  # type: ignore[misc]
        except ClientLimitReached:
            taken = _all_busy_error(wanted, people)
            raise ClientLimitReached(taken.sentence, taken.next_free) from None
        except (TimeUnavailable, StaffUnavailable):
            # The person is no longer available. Any other error would be the same with everyone.
            continue
    raise _all_busy_error(wanted, people)


def _free_staff_in_order(wanted: Booking, people: StaffPool, first: StaffMember | None) -> Iterator[StaffMember]:
    """Yield the free people: `first`, then the others, those with the least booked time that day first."""
    if people.is_small:
        yield from sorted(free_staff(wanted, people.load_all()), key=lambda member: member != first)
        return
    if first is not None:
        yield from free_staff(wanted, [first])
    zone = wanted.organization.time_zone
    search = AnyStaffSearch(wanted.service, people, zone, method=wanted.method, location=wanted.location)
    for portion in search.portions_on(wanted.starts_at.astimezone(zone).date()):
        yield from (member for member in free_staff(wanted, portion) if member != first)


def free_staff(wanted: Booking, people: Sequence[StaffMember]) -> list[StaffMember]:
    """Return the people who are free at the requested time, those with the least booked time that day first.

    Raises StaffUnavailable if `people` is empty. Takes a constant number of queries.
    """
    if not people:
        raise StaffUnavailable(_("Nobody takes this appointment. Choose another service or meeting method."))
    request = wanted.slot_request_for(people[0])
    check_allowed(request)
    people = people_with_start(request, people)
    end = request.start + request.durations.duration
    calendars = load_calendars_around(people, request.start, end, method=wanted.method, location=wanted.location)
    full = full_days(request.service, people, request.start, end, location=wanted.location)
    free = [
        member
        for member in people
        if not (contains(full[member.pk], request.start) and not request.may_be_outside_hours)
        and _is_available(calendars[member.pk], request)
    ]
    return sorted(free, key=lambda member: (_booked_seconds(calendars[member.pk], request, member), member.pk))


def _is_available(calendar: Calendar, request: SlotRequest) -> bool:
    taken = calendar.is_taken(request.start, request.durations) or calendar.is_off(request.start, request.durations)
    return not taken and (request.may_be_outside_hours or calendar.is_open(request.start, request.durations))


def _booked_seconds(calendar: Calendar, request: SlotRequest, member: StaffMember) -> int:
    """Return the seconds that the person is booked on the requested day, in their own time zone."""
    day = request.starts_at.astimezone(member.zone).date()
    start, end = (local_datetime(day + timedelta(days=days), time(0), member.zone) for days in (0, 1))
    return sum(to - from_ for from_, to in intersect(calendar.busy, [(start, end)]))


def _all_busy_error(wanted: Booking, people: StaffPool) -> TimeTaken:
    request = wanted.slot_request_for(people.load(people.pks[:1])[0])
    free = next_free_of_any_staff(
        request.service,
        people,
        request.starts_at,
        durations=request.durations,
        for_clients=request.by_client,
        method=request.method,
        location=request.location,
    )
    return TimeTaken(_("Nobody is free at %(when)s. Choose another time.") % {"when": request.when}, free)
