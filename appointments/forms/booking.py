"""Booking on the schedule: who, what, how, with whom and when, on one page."""

from __future__ import annotations

from datetime import timedelta

from django.utils.functional import cached_property

from appointments.booking.candidates import FreeTimes, free_times
from appointments.booking_rules.errors import BookingError
from appointments.forms.booking_base import BookingBaseForm
from appointments.forms.date_time import DateTimeForm


class BookingForm(BookingBaseForm, DateTimeForm):
    """A person is chosen, and any day and time, also outside working hours."""

    field_order = (
        "request_key",
        "client",
        "service",
        "method",
        "staff",
        "date",
        "time",
        "outside_hours",
        "notes",
    )

    @cached_property
    def times(self) -> FreeTimes | None:
        """When the chosen person can start the chosen service on the chosen day."""
        day = self.picked_date()
        if not (self.chosen_service and self.chosen_staff and day) or self.staff_problem:
            return None
        return free_times(self.chosen_service, self.chosen_staff, day, self.zone)

    def add_booking_error(self, refusal: BookingError) -> None:
        """Say why beside the field, with what would work instead."""
        field = "new_name" if refusal.field == "client" and self.adds_client else refusal.field
        chosen = self.cleaned_data
        self.refuse(refusal, chosen["staff"], timedelta(minutes=chosen["service"].duration), field=field)
