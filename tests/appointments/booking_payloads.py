"""Form data of bookings in the Contact Center."""

from __future__ import annotations

from typing import Any

from services.models import MeetingMethod
from tests.appointments.conftest import Maple, monday

PAGE = "/contact-center/"


def booking_data(maple: Maple, **changes: Any) -> dict[str, Any]:
    """Return form data for Cleo on Monday at ten at the location with any staff, with `changes`."""
    sent = {
        "request_key": "an-unguessable-key",
        "client": maple.cleo.pk,
        "service": maple.review.pk,
        "method": MeetingMethod.AT_LOCATION.value,
        "staff": "",
        "slot": int(monday(10).timestamp()),
        "notes": "Brings her passport",
    }
    return {name: value for name, value in (sent | changes).items() if value is not None}


def errors(page: Any) -> dict[str, list[str]]:
    return dict(page.context["form"].errors)
