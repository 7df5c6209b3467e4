"""Fill an empty database with the demo's organisations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password
from django.utils import timezone
from django.utils.text import slugify

from appointments.calendar_feed.addresses import create_address
from appointments.email_settings_models import ReminderRule
from appointments.models import Appointment, AppointmentEvent, AppointmentEventKind, Client
from appointments.timeline import local_time
from demo.appointments import Provider, appointments_of, monday_of, time_off_of
from demo.audit_log import audit_events_of
from demo.closings import create_closings
from demo.logins import OPERATOR, PASSWORD
from demo.logo import logo_of
from demo.organizations import CEDAR, MAPLE, Branch, Person, SeedOrganization
from services.models import MeetingMethod, MeetingMethodOffer, Service, ServiceAssignment
from services.questions import add_question
from staff.audit_log.record import record_all
from staff.models import (
    ADDRESS_FIELDS,
    Location,
    LocationHours,
    Logo,
    Organization,
    Role,
    StaffMember,
    TimeOff,
    WorkingHours,
)


def seed(now: datetime | None = None) -> None:
    """Fill an empty database with organisations whose appointments lie around `now`."""
    password = make_password(PASSWORD)
    for plan in (MAPLE, CEDAR):
        _create_organization(plan, password, now or timezone.now())
    StaffMember.objects.create(
        email=OPERATOR,
        first_name="Olive",
        last_name="Reyes",
        is_staff=True,
        is_superuser=True,
        password=password,
    )


def _create_organization(plan: SeedOrganization, password: str, now: datetime) -> None:
    organization = Organization.objects.create(
        name=plan.name,
        slug=plan.slug,
        time_zone=ZoneInfo(plan.time_zone),
        phone=plan.phone,
        addons=list(plan.addons),
        retention_months=plan.retention_months,
        color=plan.color,
    )
    _create_main_office(organization, plan.branches[0])
    if plan.color:
        _create_logo(organization)
    locations = _create_locations(organization, plan)
    staff = _create_staff(organization, plan, locations, password)
    _set_last_days(plan, staff, now)
    if plan is MAPLE:
        create_closings(locations, staff, now)
        _create_reminders(organization)
    admin = next(member for member in staff.values() if member.is_admin)
    record_all(audit_events_of(admin, staff.values(), now))
    # The profile then shows when the address was created, and how to renew or end it.
    create_address(admin)
    services = _create_services(organization, plan, staff)
    clients = _create_clients(organization, plan.clients)
    _create_clients(organization, plan.duplicate_clients)
    # The scheduler books for clients, or the admin if there is no scheduler.
    front_desk = [staff[person.name] for person in plan.people if person.role != Role.STAFF][-1]
    _create_appointments(_providers(plan, staff, services, now), clients, front_desk, now)


def _create_reminders(organization: Organization) -> None:
    """Remind clients a day and two hours before. Nothing overdue is sent."""
    minutes = (24 * 60, 2 * 60)
    ReminderRule.objects.bulk_create(ReminderRule(organization=organization, minutes=each) for each in minutes)


def _create_main_office(organization: Organization, branch: Branch) -> None:
    """Give the organisation the address of its first branch."""
    for name in ADDRESS_FIELDS:
        setattr(organization, name, getattr(branch, name))
    organization.save()


def _create_logo(organization: Organization) -> None:
    png = logo_of(organization.name, organization.color)
    Logo.objects.create(organization=organization, png=png)
    organization.logo_digest = sha256(png).hexdigest()
    organization.save()


def _create_clients(organization: Organization, clients: Sequence[tuple[str, str]]) -> list[Client]:
    """Create clients by name and phone. The email is the first word of the name, without accents."""
    return Client.objects.bulk_create(
        Client(organization=organization, name=name, email=f"{slugify(name.split()[0])}@example.com", phone=phone)
        for name, phone in clients
    )


def _create_locations(organization: Organization, plan: SeedOrganization) -> dict[str, Location]:
    locations = Location.objects.bulk_create(
        Location(
            organization=organization,
            name=branch.name,
            street=branch.street,
            city=branch.city,
            region=branch.region,
            postal_code=branch.postal_code,
            country=branch.country,
            latitude=branch.coordinates[0],
            longitude=branch.coordinates[1],
            phone=branch.phone,
            time_zone=ZoneInfo(branch.time_zone or plan.time_zone),
        )
        for branch in plan.branches
    )
    LocationHours.objects.bulk_create(
        LocationHours(location=location, weekday=day, start=branch.opens, end=branch.closes)
        for location, branch in zip(locations, plan.branches, strict=True)
        for day in branch.days
    )
    return {location.name: location for location in locations}


def _create_staff(
    organization: Organization, plan: SeedOrganization, locations: dict[str, Location], password: str
) -> dict[str, StaffMember]:
    members = StaffMember.objects.bulk_create(
        _unsaved_member(organization, plan, person, locations[person.branch], password) for person in plan.people
    )
    WorkingHours.objects.bulk_create(
        WorkingHours(staff=member, weekday=day, start=start, end=end)
        for member, person in zip(members, plan.people, strict=True)
        if person.services
        for day in person.days
        for start, end in person.hours
    )
    return {person.name: member for member, person in zip(members, plan.people, strict=True)}


def _unsaved_member(
    organization: Organization, plan: SeedOrganization, person: Person, location: Location, password: str
) -> StaffMember:
    first, last = person.name.split()
    email = f"{first.lower()}@{plan.slug}.example"
    return StaffMember(
        organization=organization,
        role=person.role,
        email=email,
        username=email if plan.username_is_email else first.lower(),
        first_name=first,
        last_name=last,
        location=location,
        password=password,
    )


def _set_last_days(plan: SeedOrganization, staff: dict[str, StaffMember], now: datetime) -> None:
    for person in plan.people:
        if person.last_day is not None:
            member = staff[person.name]
            member.last_day = (monday_of(now, member) + timedelta(days=person.last_day)).date()
            member.save(update_fields=["last_day"])


def _create_services(
    organization: Organization, plan: SeedOrganization, staff: dict[str, StaffMember]
) -> dict[str, Service]:
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
            start_step=offer.start_step,
            move_notice=offer.change_notice,
            cancel_notice=offer.change_notice,
            most_per_client_and_day=offer.most_per_client_and_day,
            confirmation_text=offer.confirmation_text,
        )
        for offer in plan.offers
    )
    by_name = {service.name: service for service in services}
    for offer in plan.offers:
        for draft in offer.questions:
            add_question(by_name[offer.name], draft)
    MeetingMethodOffer.objects.bulk_create(
        MeetingMethodOffer(service=by_name[offer.name], method=method)
        for offer in plan.offers
        for method in offer.methods
    )
    ServiceAssignment.objects.bulk_create(
        ServiceAssignment(service=by_name[name], staff=staff[person.name])
        for person in plan.people
        for name in person.services
    )
    return by_name


def _providers(
    plan: SeedOrganization, staff: dict[str, StaffMember], services: dict[str, Service], now: datetime
) -> list[Provider]:
    methods = {
        offer.name: [method for method in offer.methods if method != MeetingMethod.VIDEO] for offer in plan.offers
    }
    return [
        Provider(
            member=staff[person.name],
            person=person,
            services=[(services[name], methods[name]) for name in person.services],
            time_off=time_off_of(person, staff[person.name], now),
        )
        for person in plan.people
        if person.services
    ]


def _create_appointments(
    providers: list[Provider], clients: list[Client], booked_by: StaffMember, now: datetime
) -> None:
    TimeOff.objects.bulk_create(row for provider in providers for row in provider.time_off)
    appointments = Appointment.objects.bulk_create(appointments_of(providers, clients, booked_by, now))
    AppointmentEvent.objects.bulk_create(
        AppointmentEvent(
            appointment=appointment,
            actor=appointment.booked_by,
            through=appointment.booked_through,
            kind=AppointmentEventKind.BOOKED,
            params={"when": local_time(appointment.starts_at, appointment.staff.zone)},
        )
        for appointment in appointments
    )
