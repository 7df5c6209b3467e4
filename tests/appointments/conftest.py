"""Shared fixtures of the appointment tests: Maple with Sam, Sky, Cleo and a service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser

from appointments.booking import book
from appointments.models import Appointment, BookedThrough, Client
from services.models import MeetingMethod, Service, ServiceAssignment
from staff.models import Organization, Role, StaffMember
from tests.cast import signed_in
from tests.factories import (
    make_client,
    make_connection,
    make_hours,
    make_match,
    make_member,
    make_organization,
    make_service,
)
from tests.integrations.fake_platform import FakePlatform

# A Monday, with working hours from nine to five; tests run on the Friday before.
MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ALL_METHODS = (MeetingMethod.AT_LOCATION, MeetingMethod.PHONE, MeetingMethod.VIDEO, MeetingMethod.OFF_SITE)


def monday(hour: int, minute: int = 0) -> datetime:
    return MONDAY.replace(hour=hour, minute=minute)


@dataclass
class Maple:
    organization: Organization
    sam: StaffMember
    sky: StaffMember
    cleo: Client
    review: Service

    def book(self, **changes: Any) -> Appointment:
        """Book a review with Sam for Cleo at ten, through Sky, with `changes`."""
        arguments = {
            "organization": self.organization,
            "service": self.review,
            "staff": self.sam,
            "client": self.cleo,
            "starts_at": monday(10),
            "method": MeetingMethod.AT_LOCATION,
            "actor": self.sky,
            "through": BookedThrough.SCHEDULE,
        }
        return book.book_appointment(**{**arguments, **changes})

    def book_online(self, **changes: Any) -> Appointment:
        """Book in the Client View, as the client."""
        return self.book(**{"actor": None, "through": BookedThrough.CLIENT_VIEW, **changes})


@pytest.fixture
def maple(db: None) -> Maple:
    organization = make_organization()
    sam = make_member(organization, "Sam Okafor")
    make_hours(sam)
    return Maple(
        organization=organization,
        sam=sam,
        sky=make_member(organization, "Sky Larsen", Role.SCHEDULER),
        cleo=make_client(organization, phone="+1 555 0100"),
        review=make_service(organization, methods=ALL_METHODS, provided_by=(sam,)),
    )


@pytest.fixture
def friday() -> Any:
    """Stop the clock on the Friday before MONDAY."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def maple_with_teams(maple: Maple, fake_teams: FakePlatform) -> Maple:
    """Maple with Sam matched on Teams and Video Calls on."""
    make_match(make_connection(maple.organization), maple.sam)
    return maple


@pytest.fixture
def ada(maple: Maple) -> StaffMember:
    """Ada, an admin."""
    return make_member(maple.organization, "Ada Quist", Role.ADMIN)


@pytest.fixture
def as_ada(ada: StaffMember) -> Browser:
    """Ada's browser."""
    return signed_in(ada)


@pytest.fixture
def as_sky(maple: Maple) -> Browser:
    """Sky's browser."""
    return signed_in(maple.sky)


@pytest.fixture
def tess(maple: Maple) -> StaffMember:
    """Tess, who also provides the review."""
    tess = make_member(maple.organization, "Tess Moor")
    ServiceAssignment.objects.create(service=maple.review, staff=tess)
    make_hours(tess)
    return tess
