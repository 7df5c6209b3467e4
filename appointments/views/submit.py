"""Submit a form that books or changes an appointment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from appointments.booking_rules.errors import BookingError
from appointments.models import Appointment


class AppointmentForm(Protocol):
    """Form that shows a BookingError, next to its field or on top."""

    def is_valid(self) -> bool: ...

    def add_booking_error(self, error: BookingError) -> None: ...


def submit(form: AppointmentForm, change: Callable[[], Appointment]) -> Appointment | None:
    """Run the change of a valid form and return the appointment.

    Return None if the form isn't bound or valid. A BookingError of `change` becomes an error of the form.
    """
    if not form.is_valid():
        return None
    try:
        return change()
    except BookingError as error:
        form.add_booking_error(error)
        return None
