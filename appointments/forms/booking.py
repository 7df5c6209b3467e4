"""Booking form of the schedule: a chosen staff member at any date and time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils.functional import cached_property

from appointments.booking.candidates import FreeTimes, free_times
from appointments.booking_rules.errors import BookingError
from appointments.forms.booking_base import BookingBaseForm
from appointments.forms.date_time import DateTimeGroup
from staff.models import StaffMember


class BookingForm(BookingBaseForm):
    """Books a chosen staff member, also outside working hours. `date_time` holds the fields of the time."""

    def __init__(self, *args: Any, actor: StaffMember, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        self.date_time = DateTimeGroup(*args, zone=actor.zone, **kwargs)
        self.groups.append(self.date_time)

    @cached_property
    def times(self) -> FreeTimes | None:
        """Return the free times of the chosen staff member on the chosen day; None while a choice is missing."""
        day = self.date_time.picked_date()
        if not (self.chosen_service and self.chosen_staff and day) or self.staff_problem:
            return None
        return free_times(self.chosen_service, self.chosen_staff, day, self.zone, method=self.chosen_method)

    @property
    def starts_at(self) -> datetime:
        start: datetime = self.date_time.cleaned_data["starts_at"]
        return start

    def add_booking_error(self, error: BookingError) -> None:
        """Show the error next to its field, with alternatives."""
        self.add_error(self.error_field(error, start="time"), error.sentence)
        chosen = self.cleaned_data
        duration = timedelta(minutes=chosen["service"].duration)
        self.date_time.offer_alternatives(error, chosen["staff"], duration, chosen["method"])
