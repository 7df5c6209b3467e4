"""Free slots of staff with overrides, at locations with closings and holidays, as stored."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from appointments.availability.slots import free_slots
from services.models import MeetingMethod, Service
from staff.models import DateOverride, HolidayCalendar, Location, LocationHours, StaffMember, WorkingHours
from tests.factories import make_hours, make_location, make_member, make_organization, make_service, make_staff

MONDAY, CHRISTMAS = date(2026, 11, 30), date(2026, 12, 25)
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
PHONE = MeetingMethod.PHONE


@pytest.fixture
def branch(db: None) -> Location:
    return make_location(make_organization())


@pytest.fixture
def sam(branch: Location) -> StaffMember:
    """Return a staff member of the branch who works from 9 to 17."""
    member = make_member(branch.organization, location=branch)
    make_hours(member)
    return member


@pytest.fixture
def service(branch: Location) -> Service:
    return make_service(branch.organization, duration=60)


def make_override(first_day: date, *hours: tuple[int, int], **fields: Any) -> DateOverride:
    override = DateOverride.objects.create(first_day=first_day, last_day=first_day, **fields)
    for start, end in hours:
        override.hours.create(start=time(start), end=time(end))
    return override


def first_and_last(service: Service, member: StaffMember, day: date = MONDAY, **rules: Any) -> tuple[str, str] | None:
    """Return the first and the last free start of a day."""
    start = datetime.combine(day, time(0), UTC)
    found = free_slots(service, [member], start, start + timedelta(days=1), now=NOW, **rules)[member.pk]
    if not found:
        return None
    first, last = (datetime.fromtimestamp(each, UTC) for each in (found[0], found[-1]))
    return f"{first:%H:%M}", f"{last:%H:%M}"


def test_a_closing_stops_appointments_in_person_and_not_calls(
    branch: Location, sam: StaffMember, service: Service
) -> None:
    make_override(MONDAY, location=branch)

    assert first_and_last(service, sam) is None
    assert first_and_last(service, sam, method=PHONE) == ("09:00", "16:00")


def test_a_closing_of_all_methods_stops_calls_too(branch: Location, sam: StaffMember, service: Service) -> None:
    make_override(MONDAY, location=branch, all_methods=True)

    assert first_and_last(service, sam, method=PHONE) is None


def test_other_hours_of_a_location_hold_on_their_days(branch: Location, sam: StaffMember, service: Service) -> None:
    make_override(MONDAY, (10, 12), (14, 16), location=branch)

    assert first_and_last(service, sam) == ("10:00", "15:00")
    assert first_and_last(service, sam, MONDAY + timedelta(days=1)) == ("09:00", "16:00")


def test_a_public_holiday_closes_the_location(branch: Location, sam: StaffMember, service: Service) -> None:
    HolidayCalendar.objects.create(location=branch, country="CA", region="ON")

    assert first_and_last(service, sam, CHRISTMAS, method=PHONE) is None


def test_a_holiday_that_is_switched_off_leaves_the_location_open(
    branch: Location, sam: StaffMember, service: Service
) -> None:
    HolidayCalendar.objects.create(location=branch, country="CA", region="ON", switched_off=["Christmas Day"])

    assert first_and_last(service, sam, CHRISTMAS) == ("09:00", "16:00")


def test_one_off_hours_of_a_person_replace_the_weekly_ones(sam: StaffMember, service: Service) -> None:
    make_override(MONDAY, (18, 20), staff=sam, all_methods=True)

    assert first_and_last(service, sam) == ("18:00", "19:00")


def test_a_future_schedule_holds_from_its_first_day_on(sam: StaffMember, service: Service) -> None:
    for weekday in range(5):
        WorkingHours.objects.create(
            staff=sam, weekday=weekday, start=time(12), end=time(15), starts_on=MONDAY + timedelta(days=1)
        )

    assert first_and_last(service, sam) == ("09:00", "16:00")
    assert first_and_last(service, sam, MONDAY + timedelta(days=1)) == ("12:00", "14:00")


def test_hours_at_another_branch_count_there_and_for_calls(
    branch: Location, sam: StaffMember, service: Service
) -> None:
    west = make_location(branch.organization, "West End")
    LocationHours.objects.create(location=west, weekday=0, start=time(10), end=time(13))
    sam.working_hours.filter(weekday=0).update(location=west)

    assert first_and_last(service, sam) is None
    assert first_and_last(service, sam, location=west) == ("10:00", "12:00")
    assert first_and_last(service, sam, method=PHONE) == ("10:00", "12:00")


@pytest.mark.parametrize("how_many", [1, 3])
def test_closings_take_no_more_queries_for_more_people(
    how_many: int, branch: Location, service: Service, django_assert_num_queries: Any
) -> None:
    west = make_location(branch.organization, "West End")
    HolidayCalendar.objects.create(location=west, country="CA")
    for member in make_staff(branch.organization, how_many, location=branch):
        make_hours(member)
        member.working_hours.filter(weekday=1).update(location=west)
        make_override(MONDAY, (10, 11), staff=member, all_methods=True)
    staff = list(StaffMember.objects.filter(organization=branch.organization))
    start = datetime.combine(MONDAY, time(0), UTC)

    # Locations, organisations, the rows of people and home branches, and those of other branches with their zones.
    with django_assert_num_queries(5):
        found = free_slots(service, staff, start, start + timedelta(days=1), now=NOW, method=PHONE)

    assert [len(free) for free in found.values()] == [1] * how_many
