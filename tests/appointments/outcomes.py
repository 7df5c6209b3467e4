"""Results of bookings and changes: the timeline, or the error."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appointments.booking_rules.errors import BookingError
from appointments.models import Appointment
from appointments.timeline import event_text


def timeline(appointment: Appointment) -> list[str]:
    return [event_text(event) for event in appointment.events.all()]


def booking_error(book: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(BookingError) as refused:
        book()
    return refused.value.field, refused.value.sentence
