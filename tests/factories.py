"""Rows for tests. All values can be set, and none is random.

The cast: Ada (admin), Sam (staff), Sky (scheduler), Cleo (client) of Maple; Otto (admin) of Cedar.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from appointments.models import Appointment, BookedThrough, Client
from integrations.models import (
    Connection,
    DirectoryState,
    MatchField,
    RematchRun,
    RematchState,
    RematchTrigger,
    UserMatch,
)
from integrations.teams.models import ConnectionRequest, TeamsConnection
from services.models import MeetingMethod, MeetingMethodOffer, Service, ServiceAssignment
from staff.models import Location, Organization, Role, StaffMember, Weekday, WorkingHours

PASSWORD = "correct horse battery"
TENANT_ID = "c0117050-0365-4000-8000-000000000001"
SERVICE_ACCOUNT_ID = "5e41ce00-0000-4000-8000-000000000001"
#: Slugs of the add-ons of Microsoft Teams.
TEAMS_ADDONS = ["teams", "teams-access-policy"]
_numbers = count(1)


def make_organization(name: str = "Maple Credit Union", **fields: Any) -> Organization:
    fields = {"slug": name.split()[0].lower(), "addons": ["teams"], "time_zone": ZoneInfo("UTC"), **fields}
    return Organization.objects.create(name=name, **fields)


def make_location(organization: Organization, name: str = "Main Street", **fields: Any) -> Location:
    return Location.objects.create(organization=organization, name=name, **{"time_zone": ZoneInfo("UTC"), **fields})


def make_member(
    organization: Organization, name: str = "Sam Okafor", role: str = Role.STAFF, **fields: Any
) -> StaffMember:
    """Create a staff member whose email and username come from the first name: sam@maple.example, sam."""
    first, _, last = name.partition(" ")
    fields = {
        "email": f"{first.lower()}@{organization.slug}.example",
        "username": first.lower(),
        "first_name": first,
        "last_name": last,
        **fields,
    }
    member = StaffMember(organization=organization, role=role, **fields)
    member.set_unusable_password()
    member.save()
    return member


def make_staff(organization: Organization, how_many: int, **fields: Any) -> list[StaffMember]:
    """Create many staff members: person1@…, person2@…"""
    numbers = [next(_numbers) for _ in range(how_many)]
    return StaffMember.objects.bulk_create(
        StaffMember(
            organization=organization,
            email=f"person{number}@{organization.slug}.example",
            username=f"person{number}",
            first_name=f"Person{number}",
            **fields,
        )
        for number in numbers
    )


def make_hours(member: StaffMember, start: time = time(9), end: time = time(17)) -> None:
    """Create the same hours from Monday to Friday."""
    days = [Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY]
    WorkingHours.objects.bulk_create(WorkingHours(staff=member, weekday=day, start=start, end=end) for day in days)


def make_service(
    organization: Organization,
    name: str = "Mortgage review",
    methods: tuple[MeetingMethod, ...] = (MeetingMethod.AT_LOCATION, MeetingMethod.VIDEO),
    provided_by: tuple[StaffMember, ...] = (),
    **fields: Any,
) -> Service:
    service = Service.objects.create(organization=organization, name=name, **fields)
    MeetingMethodOffer.objects.bulk_create(MeetingMethodOffer(service=service, method=method) for method in methods)
    ServiceAssignment.objects.bulk_create(ServiceAssignment(service=service, staff=member) for member in provided_by)
    return service


def make_client(organization: Organization, name: str = "Cleo Brandt", **fields: Any) -> Client:
    fields = {"email": "cleo@example.com", **fields}
    return Client.objects.create(organization=organization, name=name, **fields)


def make_appointment(
    service: Service, staff: StaffMember, client: Client, starts_at: datetime, **fields: Any
) -> Appointment:
    """Create a confirmed appointment at the location, booked on the schedule, with the service's durations."""
    ends_at = starts_at + timedelta(minutes=service.duration)
    fields = {
        "ends_at": ends_at,
        "busy_from": starts_at - timedelta(minutes=service.buffer_before),
        "busy_to": ends_at + timedelta(minutes=service.buffer_after),
        "method": MeetingMethod.AT_LOCATION,
        "booked_through": BookedThrough.SCHEDULE,
        **fields,
    }
    return Appointment.objects.create(
        organization=service.organization,
        service=service,
        staff=staff,
        client=client,
        starts_at=starts_at,
        **fields,
    )


def make_connection(organization: Organization, account_oid: str = SERVICE_ACCOUNT_ID, **fields: Any) -> Connection:
    """Create a healthy connection by service account, the organisation's default.

    A second one of the same organisation needs `is_default=False` and another `account_oid`; its name gets a number.
    """
    others = organization.connections.count()
    fields = {
        "platform": "teams",
        "name": f"Microsoft Teams {others + 1}" if others else "Microsoft Teams",
        "is_default": True,
        "connected_at": timezone.now(),
        **fields,
    }
    connection = Connection.objects.create(organization=organization, **fields)
    TeamsConnection.objects.create(
        connection=connection,
        organization=organization,
        tenant_id=TENANT_ID,
        tenant_name="contoso.example",
        account_oid=account_oid,
        account_upn="coconut-meetings@contoso.example",
        account_name="Coconut Meetings",
        granted=["User.Read", "User.ReadBasic.All", "OnlineMeetings.ReadWrite"],
        tokens={
            "access_token": "an-access-token",
            "expires_at": datetime(2099, 1, 1, tzinfo=UTC).timestamp(),
            "refresh_token": "a-refresh-token",
        },
    )
    return connection


def make_connection_request(admin: StaffMember, **fields: Any) -> ConnectionRequest:
    """Create a request of an admin to connect Contoso. It waits for an operator."""
    fields = {
        "organization": admin.organization,
        "requested_by": admin,
        "tenant_id": TENANT_ID,
        "tenant_name": "contoso.example",
        "account_oid": "oid-of-gail",
        "account_upn": "gail@contoso.example",
        "account_name": "Gail Adams",
        "match_field": MatchField.EMAIL,
        **fields,
    }
    request = ConnectionRequest.objects.create(**fields)
    request.refresh_from_db()
    return request


def make_match(connection: Connection, member: StaffMember, **fields: Any) -> UserMatch:
    """Create a match of a staff member who can host."""
    fields = {
        "enabled": True,
        "directory": DirectoryState.MATCHED,
        "remote_id": f"oid-of-{member.email}",
        "remote_user_name": member.email,
        "remote_name": member.name,
        "queried_name": member.email,
        **fields,
    }
    return UserMatch.objects.create(connection=connection, staff=member, **fields)


def make_run(connection: Connection, **fields: Any) -> RematchRun:
    """Create a successful rematch of all staff, started by an admin."""
    fields = {
        "trigger": RematchTrigger.ADMIN,
        "state": RematchState.SUCCEEDED,
        "match_field": connection.match_field,
        "counts_before": {"checking": 0, "matched": 0, "unmatched": 0, "forbidden": 0},
        "counts_after": {"checking": 0, "matched": 0, "unmatched": 0, "forbidden": 0},
        **fields,
    }
    return RematchRun.objects.create(connection=connection, **fields)


def make_operator(**fields: Any) -> StaffMember:
    """Create Olive, a superuser without an organisation."""
    fields = {"email": "olive@operator.example", "first_name": "Olive", **fields}
    return StaffMember.objects.create_superuser(password=PASSWORD, **fields)
