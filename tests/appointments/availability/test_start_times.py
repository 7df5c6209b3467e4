"""Start times on the local clock of the place."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError

from appointments.availability.slots import free_slots
from appointments.availability.start_times import is_start_time, start_times
from appointments.booking_rules.errors import TimeUnavailable
from services.models import Service
from staff.models import Organization, StaffMember, WorkingHours
from tests.appointments.conftest import Maple, monday
from tests.factories import make_location, make_member, make_organization, make_service

BEFORE = datetime(2026, 9, 1, tzinfo=UTC)
DAY_AND_NIGHT = (time(0), time(23, 59))


@pytest.fixture
def organization(db: None) -> Organization:
    return make_organization("Start Times")


def working(organization: Organization, zone: str, day: date, hours: tuple[time, time]) -> StaffMember:
    member = make_member(organization, "Lou", time_zone=ZoneInfo(zone))
    WorkingHours.objects.create(staff=member, weekday=day.weekday(), start=hours[0], end=hours[1])
    return member


def offered(service: Service, member: StaffMember, day: date) -> list[str]:
    """Return the start times of a local day, by the member's clock with its offset."""
    start = datetime.combine(day, time(0), member.zone)
    end = datetime.combine(day + timedelta(days=1), time(0), member.zone)
    found = free_slots(service, [member], start, end, now=BEFORE)[member.pk]
    return [f"{datetime.fromtimestamp(moment, member.zone):%H:%M%z}" for moment in found]


@pytest.mark.parametrize(
    ("step", "times"),
    [
        (10, ["10:40", "10:50", "11:00", "11:10", "11:20", "11:30"]),
        (20, ["10:40", "11:00", "11:20"]),
        (30, ["11:00", "11:30"]),
        (60, ["11:00"]),
    ],
)
@pytest.mark.parametrize("zone", ["America/Toronto", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_times_are_round_on_the_local_clock(zone: str, step: int, times: list[str], organization: Organization) -> None:
    wednesday = date(2026, 9, 16)
    member = working(organization, zone, wednesday, (time(10, 35), time(12)))
    service = make_service(organization, duration=30, start_step=step)

    assert [each[:5] for each in offered(service, member, wednesday)] == times


def test_times_stay_round_after_clocks_change_by_half_an_hour(organization: Organization) -> None:
    # Lord Howe's clocks go from 02:00 (+10:30) to 02:30 (+11).
    sunday = date(2026, 10, 4)
    member = working(organization, "Australia/Lord_Howe", sunday, (time(0), time(5)))
    service = make_service(organization, duration=30, start_step=60)

    assert offered(service, member, sunday) == ["00:00+1030", "01:00+1030", "03:00+1100", "04:00+1100"]


def test_an_hour_that_comes_twice_is_offered_twice(organization: Organization) -> None:
    sunday = date(2026, 11, 1)
    member = working(organization, "America/Toronto", sunday, (time(0), time(3)))
    service = make_service(organization, duration=60, start_step=60)

    assert offered(service, member, sunday) == ["00:00-0400", "01:00-0400", "01:00-0500", "02:00-0500"]


def test_half_a_year_without_a_break_has_round_times_only() -> None:
    zone, service = ZoneInfo("Australia/Lord_Howe"), Service(start_step=60)
    start = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())

    found = start_times([(start, start + 250 * 86400)], service, zone)

    assert {datetime.fromtimestamp(moment, zone).minute for moment in found} == {0}
    assert {after - before for before, after in pairwise(found)} == {1800 * 2, 1800 * 3}
    assert all(is_start_time(moment, service, zone) for moment in found)


def test_the_clock_of_a_location_counts_before_that_of_the_person(organization: Organization) -> None:
    kolkata = make_location(organization, time_zone=ZoneInfo("Asia/Kolkata"))
    wednesday = date(2026, 9, 16)
    member = working(organization, "UTC", wednesday, (time(9), time(11)))
    service = make_service(organization, duration=30, start_step=60)
    start = datetime(2026, 9, 16, tzinfo=UTC)

    found = free_slots(service, [member], start, start + timedelta(days=1), location=kolkata, now=BEFORE)[member.pk]

    assert [f"{datetime.fromtimestamp(moment, UTC):%H:%M}" for moment in found] == ["09:30", "10:30"]


def test_clients_are_refused_a_start_between_the_steps(maple: Maple, friday: None) -> None:
    Service.objects.update(start_step=60)
    maple.review.refresh_from_db()

    with pytest.raises(TimeUnavailable, match="Choose one of the times that are offered"):
        maple.book_online(starts_at=monday(10, 30))


def test_staff_book_between_the_steps(maple: Maple, friday: None) -> None:
    Service.objects.update(start_step=60)
    maple.review.refresh_from_db()

    assert maple.book(starts_at=monday(10, 30)).starts_at == monday(10, 30)


def test_the_database_refuses_a_step_that_does_not_divide_an_hour(organization: Organization) -> None:
    with pytest.raises(IntegrityError, match="start_step_divides_an_hour"):
        make_service(organization, start_step=45)
