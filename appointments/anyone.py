"""Book with whoever of some people is free."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from appointments.booking import book_appointment
from appointments.models import Appointment
from appointments.refusals import BookingRefused, TimeTaken
from staff.models import StaffMember


def book_with_anyone(*, people: Sequence[StaffMember], starts_at: datetime, **booking: Any) -> Appointment:
    """Book with the first of the people who can take it; see `book_appointment`. Raises the last refusal."""
    refusal: BookingRefused = TimeTaken(_("Nobody is free then. Choose another time."))
    for member in people:
        try:
            return book_appointment(staff=member, starts_at=starts_at, **booking)
        except BookingRefused as refused:
            if refused.field not in ("starts_at", "staff"):
                raise
            refusal = refused
    raise refusal
