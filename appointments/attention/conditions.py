"""Conditions under which an upcoming appointment needs attention, computed on read.

Nothing is recorded when a person leaves or a service is switched off, so no appointment can be forgotten. Only hours
leave a mark on the appointment (`attention.hours`): staff may book outside them on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from django.db.models import (
    Case,
    CharField,
    DateField,
    DateTimeField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, NullIf
from django.utils import timezone

from appointments.changes.move import MOVABLE
from appointments.models import LONGEST_BUSY_TIME, Appointment, AppointmentQuerySet
from services.models import MeetingMethod, MeetingMethodOffer, ServiceAssignment
from staff.models import Location, Organization, TimeOff
from staff.planned_changes import Cause

#: Causes that can be read from the rows, the most important first.
READABLE: Final = tuple(Cause)


def upcoming(organization: Organization | int | None) -> AppointmentQuerySet:
    """Return the organisation's appointments that haven't ended and can still be moved, unordered."""
    now = timezone.now()
    return Appointment.objects.filter(
        organization=organization,
        status__in=MOVABLE,
        ends_at__gt=now,
        # Lets an index of the staff skip the history.
        busy_from__gt=now - LONGEST_BUSY_TIME,
    ).order_by()


def needing_attention(organization: Organization | int, causes: Iterable[Cause] = READABLE) -> AppointmentQuerySet:
    """Return the upcoming appointments for which one of the causes holds, by start.

    Each part of the UNION can use an index of its own; an OR over several tables could use none.
    """
    first, *others = [upcoming(organization).filter(condition_of(cause)).values("pk") for cause in causes]
    found = Appointment.objects.filter(pk__in=first.union(*others) if others else first)
    return found.exclude(pk__in=_left_as_they_are(organization)).order_by("starts_at", "pk")


def _left_as_they_are(organization: Organization | int) -> AppointmentQuerySet:
    """Return the appointments that a scheduler left for the cause that still holds. They are few."""
    left = upcoming(organization).exclude(left_cause="")
    return left.alias(present_cause=cause_column()).filter(present_cause="")


def with_cause(appointments: AppointmentQuerySet) -> AppointmentQuerySet:
    """Annotate each appointment with `cause`, the first that holds; "" if it needs no attention or was left so."""
    return appointments.annotate(cause=cause_column())


def load_with_cause(appointments: Iterable[Appointment]) -> list[Appointment]:
    """Return these appointments, by start, each with its `cause` and the rows that pages show. One query.

    Load a page of a list in two steps: joined with all rows of the list, the database reads far more.
    """
    pks = [appointment.pk for appointment in appointments]
    found = with_cause(Appointment.objects.filter(pk__in=pks)).with_details()
    return list(found.order_by("starts_at", "pk"))


def cause_column() -> Combinable:
    """Return the expression of the first cause that holds for an appointment.

    It is "" for none, for a past appointment, and for the cause for which the appointment was left as it is.
    """
    is_upcoming = Q(status__in=MOVABLE, ends_at__gt=timezone.now())
    whens = [When(is_upcoming & Q(condition_of(cause)), then=Value(cause.value)) for cause in READABLE]
    first = Case(*whens, default=Value(""), output_field=CharField())
    return Coalesce(NullIf(first, F("left_cause")), Value(""))


def condition_of(cause: Cause) -> Q:
    """Return the condition of a readable cause on upcoming appointments."""
    return _conditions()[cause]


@cache
def _conditions() -> dict[Cause, Q]:
    assigned = ServiceAssignment.objects.filter(service=OuterRef("service"), staff=OuterRef("staff"))
    offered = MeetingMethodOffer.objects.filter(service=OuterRef("service"), method=OuterRef("method"))
    off = TimeOff.objects.filter(
        staff=OuterRef("staff"), starts_at__lt=OuterRef("ends_at"), ends_at__gt=OuterRef("starts_at")
    )
    return {
        Cause.LEFT: Q(staff__is_active=False),
        Cause.AFTER_LAST_DAY: Q(staff__last_day__isnull=False) & Q(staff__last_day__lt=_local_day()),
        Cause.TIME_OFF: Q(Exists(off)),
        Cause.OUTSIDE_HOURS: Q(outside_hours_since__isnull=False),
        Cause.NOT_ASSIGNED: ~Q(Exists(assigned)),
        Cause.SERVICE_OFF: Q(service__active=False),
        Cause.METHOD_OFF: ~Q(Exists(offered)),
        Cause.LOCATION_CLOSED: Q(method=MeetingMethod.AT_LOCATION, location__active=False),
    }


def _local_day() -> Combinable:
    """Return the day on which the appointment starts, in its staff member's zone; see `StaffMember.zone`."""
    # A subquery, because a condition would join the location in a way that drops staff without one.
    of_location = Location.objects.filter(pk=OuterRef("staff__location")).values(text=Cast("time_zone", TextField()))
    owners = (
        Cast("staff__time_zone", TextField()),
        Subquery(of_location),
        Cast("organization__time_zone", TextField()),
    )
    # The field stores no zone as an empty text.
    zone = Coalesce(*(NullIf(owner, Value("")) for owner in owners))
    local = Func(zone, F("starts_at"), function="TIMEZONE", output_field=DateTimeField())
    return Cast(local, DateField())
