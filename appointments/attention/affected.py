"""Upcoming appointments that a planned change would leave without a place."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.contrib.postgres.functions import TransactionNow
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from appointments.attention.conditions import upcoming
from appointments.models import LONGEST_BUSY_TIME, Appointment, AppointmentQuerySet
from appointments.time_zones import day_and_time
from services.models import MeetingMethod
from staff.pagination import has_words
from staff.planned_changes import AffectedAppointment, AffectedAppointments, Cause, PlannedChange

#: Appointments that the page before saving shows.
SHOWN: Final = 20


def affected_by(change: PlannedChange) -> AppointmentQuerySet:
    """Return the upcoming appointments that the change concerns, by start.

    For changed hours, they are those that the current transaction left outside the hours.
    """
    found = upcoming(change.organization)
    if change.people:
        found = found.filter(staff__in=change.people)
    if change.services:
        found = found.filter(service__in=change.services)
    return found.filter(_scope_of(change)).order_by("starts_at", "pk")


def find_affected(change: PlannedChange, words: str = "") -> AffectedAppointments:
    """Return how many upcoming appointments the change concerns, and the first ones with these words.

    Those that were left as they are for the same cause need attention again.
    """
    found = affected_by(change)
    found.filter(left_cause=change.cause).order_by().update(left_cause="")
    number = found.count()
    shown = found.filter(_named(words)) if words else found
    rows = shown.select_related("client", "service", "staff__location", "location")[:SHOWN] if number else []
    return AffectedAppointments(
        number=number,
        matching=shown.count() if words else number,
        first=[_as_text(appointment) for appointment in rows],
        action_page=_action_page(change),
    )


def _scope_of(change: PlannedChange) -> Q:
    match change.cause:
        case Cause.TIME_OFF:
            return _overlapping(change)
        case Cause.AFTER_LAST_DAY:
            return Q(starts_at__gte=change.starts_at)
        case Cause.OUTSIDE_HOURS:
            return Q(outside_hours_since=TransactionNow())
        case Cause.METHOD_OFF:
            return Q(method__in=change.methods)
        case Cause.LOCATION_CLOSED:
            return _overlapping(change) & _at_location(change)
    return Q()


def _overlapping(change: PlannedChange) -> Q:
    """Return the condition of overlapping the period. An open start or end has no limit."""
    start: datetime = change.starts_at or timezone.now()
    # The lower limit of the start lets an index skip what is over.
    condition = Q(ends_at__gt=start, starts_at__gt=start - LONGEST_BUSY_TIME)
    return condition & Q(starts_at__lt=change.ends_at) if change.ends_at else condition


def _at_location(change: PlannedChange) -> Q:
    at_location = Q(location=change.location, method=MeetingMethod.AT_LOCATION)
    if not change.also_remote:
        return at_location
    remote = [MeetingMethod.PHONE, MeetingMethod.VIDEO]
    return at_location | Q(staff__location=change.location, method__in=remote)


def _named(words: str) -> Q:
    return has_words(words, "client__name", "staff__first_name", "staff__last_name", "service__name")


def _as_text(appointment: Appointment) -> AffectedAppointment:
    local = timezone.localtime(appointment.starts_at)
    return AffectedAppointment(
        when=day_and_time(local, "D j M Y"),
        client=str(appointment.client),
        service=appointment.service.name,
        staff=appointment.staff.name,
        method=str(MeetingMethod(appointment.method).label),
        page=reverse("appointment", args=[appointment.pk]),
    )


def _action_page(change: PlannedChange) -> str:
    """Return the URL of a bulk change of what needs attention, limited to the change's cause and row."""
    query: dict[str, object] = {"cause": change.cause.value}
    if len(change.people) == 1:
        query["person"] = change.people[0]
    if len(change.services) == 1:
        query["service"] = change.services[0]
    if change.location is not None:
        query["location"] = change.location
    return f"{reverse('attention-change')}?{urlencode(query)}"
