"""Whom, how and when a booking page can offer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from appointments.availability.calendars import Durations
from appointments.availability.slots import next_free
from appointments.models import Appointment
from integrations.hosting.eligibility import Hosting, hosting_of
from integrations.hosting.reasons import BlockingReason
from services.models import MeetingMethod, Service
from staff.models import Organization, StaffMember

# A day has no more quarter hours.
_TIMES_A_DAY = 100
_NEXT_TIMES = 6


@dataclass(frozen=True)
class People:
    """Who can take an appointment, and who of those that might be expected cannot, with the reason.

    `personal` are those of the able whose video call would take place on a personal link.
    """

    able: list[StaffMember] = field(default_factory=list)
    personal: list[tuple[StaffMember, Hosting]] = field(default_factory=list)
    unable: list[tuple[StaffMember, BlockingReason]] = field(default_factory=list)


@dataclass(frozen=True)
class FreeTimes:
    """Times at which somebody is free: all of one day, or, where that has none, the next ones after it."""

    on_the_day: list[datetime]
    later: list[datetime]


def able_people(service: Service, method: int, *, only: int | None = None) -> list[StaffMember]:
    """Who can take the service this way: whoever provides it and, for a video call, can host one.

    `only` is the pk of the one who is asked about. A constant number of queries.
    """
    providers = _active(service.organization_id).filter(services=service).order_by()
    people = list(providers if only is None else providers.filter(pk=only))
    if method != MeetingMethod.VIDEO:
        return people
    hostings = hosting_of(people)
    return [member for member in people if hostings[member.pk].can_host]


def people_for(organization: Organization, service: Service | None, method: int | None) -> People:
    """Who provides the service; for a video call, only those who can host one. A constant number of queries."""
    providers = _active(organization.pk)
    anything = providers.filter(assignments__isnull=False).distinct()
    people = list(providers.filter(services=service) if service else anything)
    if method != MeetingMethod.VIDEO:
        return People(able=people)
    hostings = hosting_of(people)
    return People(
        able=[member for member in people if hostings[member.pk].can_host],
        personal=[(member, hostings[member.pk]) for member in people if hostings[member.pk].personal_url],
        unable=[
            (member, obstacle)
            for member in people
            if (obstacle := hostings[member.pk].blocking_reason) is not None
        ],
    )


def _active(organization: int) -> QuerySet[StaffMember]:
    people = StaffMember.objects.filter(organization=organization, is_active=True)
    return people.select_related("location", "organization")


def why_not(member: StaffMember, service: Service, people: People) -> str:
    """Why this person is not among those who can take it; empty where they are."""
    if member in people.able:
        return ""
    reasons = {unable.pk: obstacle.sentence for unable, obstacle in people.unable}
    return reasons.get(member.pk) or _("%(name)s does not provide “%(service)s”.") % {
        "name": member.name,
        "service": service.name,
    }


def free_times(
    service: Service, member: StaffMember, day: date, zone: ZoneInfo, *, moving: Appointment | None = None
) -> FreeTimes:
    """When this person can start the service on a day of the zone; `moving` is what is moved, so free for itself."""
    found = next_free(
        service,
        member,
        datetime.combine(day, time(0), zone),
        _TIMES_A_DAY,
        lengths=Durations.of_appointment(moving) if moving else None,
        ignoring=moving,
    )
    on_the_day = [moment for moment in found if moment.astimezone(zone).date() == day]
    return FreeTimes(on_the_day, [] if on_the_day else found[:_NEXT_TIMES])
