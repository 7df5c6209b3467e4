"""Book with anyone: of some people, whoever is free then and has least to do that day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time, timedelta
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from appointments.availability.calendars import Calendar, load_calendars_around
from appointments.availability.intervals import intersect, local_datetime
from appointments.availability.slots import next_free_of_any_staff
from appointments.booking.book import Booking, book_now, booked_before
from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.booking_rules.retry import run_with_retry
from appointments.booking_rules.validation import SlotRequest, check_allowed, check_same_organization
from appointments.models import Appointment
from staff.models import StaffMember


def book_with_any_staff(
    *, people: Sequence[StaffMember], first: StaffMember | None = None, **booking: Any
) -> Appointment:
    """Book with one of these people; see `book_appointment` for the rest of what it takes, and what it promises.

    `first` is whom the time was shown with: asked before the others. Whoever lost the time meanwhile is passed over
    for the next one. Raises BookingError, or TimeTaken with the next times at which any of them is free.
    """
    wanted = Booking(**booking)
    check_same_organization(wanted.organization, wanted.rows)
    for member in people:
        check_same_organization(wanted.organization, {"staff": member})
    try:
        return _book_with_the_first(wanted, people, first)
    except (BookingError, IntegrityError):
        if (earlier := booked_before(wanted)) is not None:
            return earlier
        raise


def _book_with_the_first(
    wanted: Booking, people: Sequence[StaffMember], first: StaffMember | None
) -> Appointment:
    for member in sorted(people_who_can(wanted, people), key=lambda member: member != first):
        try:
            return run_with_retry(lambda member=member: book_now(wanted, member))  # type: ignore[misc]
        except BookingError as refusal:
            # The person was booked, went off or stopped providing it meanwhile; anything else nobody can mend.
            if refusal.field not in ("starts_at", "staff"):
                raise
    raise _nobody_is_free(wanted, people)


def people_who_can(wanted: Booking, people: Sequence[StaffMember]) -> list[StaffMember]:
    """Those of the people who are free then, whoever has least to do that day first. Raises BookingError.

    One query for any number of people.
    """
    if not people:
        raise BookingError(
            _("Nobody takes this appointment. Choose another service or meeting method."), "staff"
        )
    wish = wanted.slot_request_for(people[0])
    check_allowed(wish)
    end = wish.start + wish.lengths.duration
    calendars = load_calendars_around(people, wish.start, end, location=wanted.location)
    free = [member for member in people if _can_take(calendars[member.pk], wish)]
    return sorted(free, key=lambda member: (_work_that_day(calendars[member.pk], wish, member), member.pk))


def _can_take(calendar: Calendar, wish: SlotRequest) -> bool:
    taken = calendar.is_taken(wish.start, wish.lengths) or calendar.is_off(wish.start, wish.lengths)
    return not taken and (wish.may_be_outside_hours or calendar.is_open(wish.start, wish.lengths))


def _work_that_day(calendar: Calendar, wish: SlotRequest, member: StaffMember) -> int:
    """For how many seconds the person is booked on the day of the wish, by their own clock."""
    day = wish.starts_at.astimezone(member.zone).date()
    start, end = (local_datetime(day + timedelta(days=days), time(0), member.zone) for days in (0, 1))
    return sum(to - from_ for from_, to in intersect(calendar.busy, [(start, end)]))


def _nobody_is_free(wanted: Booking, people: Sequence[StaffMember]) -> TimeTaken:
    wish = wanted.slot_request_for(people[0])
    free = next_free_of_any_staff(
        wish.service,
        people,
        wish.starts_at,
        lengths=wish.lengths,
        for_clients=wish.by_client,
        location=wish.location,
    )
    return TimeTaken(_("Nobody is free at %(when)s. Choose another time.") % {"when": wish.when}, free)
