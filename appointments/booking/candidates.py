"""Staff members and times that a booking page can offer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from appointments.availability.calendars import Durations
from appointments.availability.next_free import next_free
from appointments.availability.staff_pool import StaffPool
from appointments.availability.start_times import most_starts_a_day
from appointments.booking.working_places import works_at
from appointments.models import Appointment
from integrations.hosting.blocking_reasons import BlockingReason
from integrations.hosting.eligibility import Hosting, hosting_of
from services.models import MeetingMethod, Service
from staff.models import Location, Organization, StaffMember

_NEXT_TIMES = 6


@dataclass(frozen=True)
class StaffCandidates:
    """Staff members who can take an appointment, and those who can't, with the reason.

    `personal` are the able ones whose video call would take place on a personal link.
    """

    able: StaffPool = field(default_factory=StaffPool)
    personal: list[tuple[StaffMember, Hosting]] = field(default_factory=list)
    unable: list[tuple[StaffMember, BlockingReason]] = field(default_factory=list)


@dataclass(frozen=True)
class FreeTimes:
    """Free times of one day or, if there are none, the next ones after it."""

    on_the_day: list[datetime]
    later: list[datetime]


def bookable_staff(service: Service, method: int, *, only: int | None = None) -> list[StaffMember]:
    """Return the staff members who provide the service and can take it in this way.

    For a video call they can host one, and for a meeting at a location theirs is active.

    `only` limits them to one pk. Takes a constant number of queries.
    """
    pk = {} if only is None else {"pk": only}
    people = list(_providers(service, method).filter(**pk).select_related("location"))
    for member in people:
        member.organization = service.organization
    if method != MeetingMethod.VIDEO:
        return people
    hostings = hosting_of(people)
    return [member for member in people if hostings[member.pk].can_host]


def bookable_pool(service: Service, method: int, *, location: Location | None = None) -> StaffPool:
    """Return the staff members of `bookable_staff`; those who can be booked at `location` if it is given."""
    if method == MeetingMethod.VIDEO:
        return StaffPool.of(bookable_staff(service, method))
    providers = _providers(service, method)
    return StaffPool.of_query(providers if location is None else providers.filter(works_at(location, service)))


def can_be_booked(service: Service, method: int) -> bool:
    """Return whether there is a staff member who can take the service in this way."""
    return (
        bool(bookable_staff(service, method)) if method == MeetingMethod.VIDEO else _providers(service, method).exists()
    )


def _providers(service: Service, method: int) -> QuerySet[StaffMember]:
    providers = StaffMember.objects.filter(
        organization=service.organization_id, is_active=True, assignments__service=service
    ).order_by()
    if method == MeetingMethod.AT_LOCATION:
        return providers.filter(Q(location=None) | Q(location__active=True))
    return providers


def staff_candidates(organization: Organization, service: Service | None, method: int | None) -> StaffCandidates:
    """Return the candidates for a service, or for any service, and a meeting method.

    Takes a constant number of queries.
    """
    providers = _active_staff(organization.pk)
    anything = providers.filter(assignments__isnull=False).distinct()
    found = providers.filter(services=service) if service else anything
    if method != MeetingMethod.VIDEO:
        return StaffCandidates(able=StaffPool.of_query(found))
    people = list(found)
    hostings = hosting_of(people)
    return StaffCandidates(
        able=StaffPool.of(member for member in people if hostings[member.pk].can_host),
        personal=[(member, hostings[member.pk]) for member in people if hostings[member.pk].personal_url],
        unable=[
            (member, blocking_reason)
            for member in people
            if (blocking_reason := hostings[member.pk].blocking_reason) is not None
        ],
    )


def _active_staff(organization: int) -> QuerySet[StaffMember]:
    return StaffMember.objects.active_in(organization).select_related("location", "organization")


def free_times(
    service: Service,
    member: StaffMember,
    day: date,
    zone: ZoneInfo,
    *,
    method: int | None = None,
    location: Location | None = None,
    moving: Appointment | None = None,
    minutes: int | None = None,
) -> FreeTimes:
    """Return the times at which a staff member can start the service on a day of the zone.

    Without `method`, they are times for an appointment in person; without `location`, at the person's home branch.
    `moving` is the appointment that moves: its own time counts as free but its present start isn't offered, and its
    method and location hold. `minutes` is its new length.
    """
    durations = Durations.of_appointment(moving) if moving else None
    if durations and minutes:
        durations = replace(durations, duration=minutes * 60)
    found = next_free(
        service,
        member,
        datetime.combine(day, time(0), zone),
        most_starts_a_day(service),
        durations=durations,
        method=moving.method if moving else method or MeetingMethod.AT_LOCATION,
        location=moving.location if moving else location,
        ignoring=moving,
    )
    on_the_day = [start for start in found if start.astimezone(zone).date() == day]
    return FreeTimes(on_the_day, [] if on_the_day else found[:_NEXT_TIMES])
