"""Fills an empty database with the demo's organisations."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from appointments.models import Appointment, AppointmentEvent, Client
from demo.appointments import Provider, appointments_of, time_off_of
from demo.logins import LOGINS, PASSWORD, TENANT_ID, ready_text
from demo.organizations import CEDAR, MAPLE, House, Person
from services.models import MeetingMethod, MeetingMethodOffer, Service, ServiceAssignment
from staff.models import Location, LocationHours, Organization, Role, StaffMember, TimeOff, WorkingHours

__all__ = ["LOGINS", "PASSWORD", "TENANT_ID", "ready_text", "seed"]


def seed(now: datetime | None = None) -> None:
    """Fill an empty database; the appointments lie around `now`."""
    password = make_password(PASSWORD)
    for house in (MAPLE, CEDAR):
        _fill(house, password, now or timezone.now())
    StaffMember.objects.create(
        email="olive@operator.example",
        first_name="Olive",
        last_name="Reyes",
        is_staff=True,
        is_superuser=True,
        password=password,
    )


def _fill(house: House, password: str, now: datetime) -> None:
    organization = Organization.objects.create(
        name=house.name,
        slug=house.slug,
        time_zone=ZoneInfo(house.time_zone),
        phone=house.phone,
        addons=list(house.addons),
    )
    locations = _locations(organization, house)
    staff = _staff(organization, house, locations, password)
    services = _services(organization, house, staff)
    clients = Client.objects.bulk_create(
        Client(
            organization=organization, name=name, email=f"{name.split()[0].lower()}@example.com", phone=phone
        )
        for name, phone in house.clients
    )
    # Whoever books for others: the scheduler, or the admin where there is none.
    front_desk = [staff[person.name] for person in house.people if person.role != Role.STAFF][-1]
    _fill_calendar(_providers(house, staff, services, now), clients, front_desk, now)


def _locations(organization: Organization, house: House) -> dict[str, Location]:
    locations = Location.objects.bulk_create(
        Location(
            organization=organization,
            name=branch.name,
            address=branch.address,
            phone=branch.phone,
            time_zone=organization.time_zone,
        )
        for branch in house.branches
    )
    LocationHours.objects.bulk_create(
        LocationHours(location=location, weekday=day, start=branch.opens, end=branch.closes)
        for location, branch in zip(locations, house.branches, strict=True)
        for day in branch.days
    )
    return {location.name: location for location in locations}


def _staff(
    organization: Organization, house: House, locations: dict[str, Location], password: str
) -> dict[str, StaffMember]:
    members = StaffMember.objects.bulk_create(
        _member(organization, house, person, locations[person.branch], password) for person in house.people
    )
    WorkingHours.objects.bulk_create(
        WorkingHours(staff=member, weekday=day, start=start, end=end)
        for member, person in zip(members, house.people, strict=True)
        if person.services
        for day in person.days
        for start, end in person.hours
    )
    return {person.name: member for member, person in zip(members, house.people, strict=True)}


def _member(
    organization: Organization, house: House, person: Person, location: Location, password: str
) -> StaffMember:
    first, last = person.name.split()
    email = f"{first.lower()}@{house.slug}.example"
    return StaffMember(
        organization=organization,
        role=person.role,
        email=email,
        username=email if house.upn_usernames else first.lower(),
        first_name=first,
        last_name=last,
        location=location,
        password=password,
    )


def _services(organization: Organization, house: House, staff: dict[str, StaffMember]) -> dict[str, Service]:
    services = Service.objects.bulk_create(
        Service(
            organization=organization,
            name=offer.name,
            category=offer.category,
            description=offer.description,
            duration=offer.duration,
            buffer_before=offer.buffers[0],
            buffer_after=offer.buffers[1],
            public=offer.public,
        )
        for offer in house.offers
    )
    by_name = {service.name: service for service in services}
    MeetingMethodOffer.objects.bulk_create(
        MeetingMethodOffer(service=by_name[offer.name], method=method)
        for offer in house.offers
        for method in offer.methods
    )
    ServiceAssignment.objects.bulk_create(
        ServiceAssignment(service=by_name[name], staff=staff[person.name])
        for person in house.people
        for name in person.services
    )
    return by_name


def _providers(
    house: House, staff: dict[str, StaffMember], services: dict[str, Service], now: datetime
) -> list[Provider]:
    methods = {
        offer.name: [method for method in offer.methods if method != MeetingMethod.VIDEO]
        for offer in house.offers
    }
    return [
        Provider(
            member=staff[person.name],
            person=person,
            services=[(services[name], methods[name]) for name in person.services],
            time_off=time_off_of(person, staff[person.name], now),
        )
        for person in house.people
        if person.services
    ]


def _fill_calendar(
    providers: list[Provider], clients: list[Client], booked_by: StaffMember, now: datetime
) -> None:
    TimeOff.objects.bulk_create(row for provider in providers for row in provider.time_off)
    appointments = Appointment.objects.bulk_create(appointments_of(providers, clients, booked_by, now))
    AppointmentEvent.objects.bulk_create(
        AppointmentEvent(
            appointment=appointment,
            actor=appointment.booked_by,
            through=appointment.booked_through,
            text="Booked.",
        )
        for appointment in appointments
    )
