"""Reasons why an appointment can't be booked, moved or cancelled. They are answers for people, not faults."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime


class BookingError(Exception):
    """A booking or a change is not possible.

    `sentence` says why and what to do; `field` names the form field, "" for none.
    """

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class StaffUnavailable(BookingError):
    """The staff member can't take the appointment, at any time."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "staff")


class TimeUnavailable(BookingError):
    """The staff member can't take the appointment at this time."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "starts_at")


class TimeTaken(TimeUnavailable):
    """Another appointment has the time. `next_free` are the staff member's next free times, in UTC."""

    def __init__(self, sentence: str, next_free: Sequence[datetime] = ()) -> None:
        super().__init__(sentence)
        self.next_free = list(next_free)


class ClientLimitReached(TimeTaken):
    """The client has as many bookings as the service allows. Pages show it like a taken time."""


class DayFull(TimeUnavailable):
    """The staff member has as many appointments of the service that day as it allows. Staff may book another one."""


class ChangedMeanwhile(BookingError):
    """The appointment changed after the page showed it."""
