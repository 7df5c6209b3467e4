"""Changes of staff, hours, services and locations that may leave booked appointments without a place.

A page describes such a change by a `PlannedChange`. The app of the appointments answers which of them it concerns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from staff.models import Organization


class Cause(models.TextChoices):
    """Cause for which a booked appointment needs attention."""

    LEFT = "left", _("Staff member left")
    AFTER_LAST_DAY = "after_last_day", _("After the last working day")
    TIME_OFF = "time_off", _("During time off")
    OUTSIDE_HOURS = "outside_hours", _("Outside changed hours")
    NOT_ASSIGNED = "not_assigned", _("Service no longer assigned")
    SERVICE_OFF = "service_off", _("Service switched off")
    METHOD_OFF = "method_off", _("Meeting method switched off")
    LOCATION_CLOSED = "location_closed", _("Location closed")


@dataclass(frozen=True)
class PlannedChange:
    """A change, and the rows that it concerns by primary key. Fields that its cause doesn't need stay empty.

    TIME_OFF and LOCATION_CLOSED need a period. NOT_ASSIGNED needs people and services, METHOD_OFF a service and its
    methods. `also_remote` adds the phone and video appointments of a closed location's staff.
    """

    organization: Organization | None
    cause: Cause
    people: tuple[int, ...] = ()
    services: tuple[int, ...] = ()
    methods: tuple[int, ...] = ()
    location: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    last_day: date | None = None
    also_remote: bool = False


@dataclass(frozen=True)
class AffectedAppointment:
    """An appointment in the list of a planned change, as text in the reader's zone."""

    when: str
    client: str
    service: str
    staff: str
    method: str
    page: str


@dataclass(frozen=True)
class AffectedAppointments:
    """Upcoming appointments that a change concerns: how many, and the first of them.

    `matching` counts those that contain the searched words. `action_page` is the URL where all of them are reassigned,
    moved or cancelled after saving. It lacks the parameter `action`.
    """

    number: int
    matching: int
    first: list[AffectedAppointment]
    action_page: str
