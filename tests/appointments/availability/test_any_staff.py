"""Search for free starts with anyone among many staff, compared with the calendars of all of them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from appointments.availability import any_staff, staff_pool
from appointments.availability.any_staff import AnyStaffSearch
from appointments.availability.first_slots import find_first_slots
from appointments.availability.month_view import month_with_times
from appointments.availability.next_free import next_free_of_any_staff
from appointments.availability.slots import free_slots
from appointments.availability.staff_pool import StaffPool
from appointments.models import Appointment
from services.models import MeetingMethod, Service
from staff.models import (
    DateOverride,
    HolidayCalendar,
    Location,
    LocationHours,
    StaffMember,
    TimeOff,
    WorkingHours,
)
from tests.factories import (
    make_appointment,
    make_client,
    make_hours,
    make_location,
    make_organization,
    make_service,
    make_staff,
)

MONDAY, DAYS = date(2026, 12, 21), 14
NOW = datetime(2026, 12, 18, 12, tzinfo=UTC)
ZONES = (ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata"), ZoneInfo("America/Toronto"))

pytestmark = pytest.mark.usefixtures("many")


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat four people as many, and read them in portions of one, two and four."""
    monkeypatch.setattr(staff_pool, "FEW_STAFF", 3)
    monkeypatch.setattr(any_staff, "_FIRST_PORTION", 1)
    monkeypatch.setattr(any_staff, "_GROWTH", 2)


@pytest.fixture
def service(db: None) -> Service:
    return make_service(make_organization(), duration=30, booking_horizon_days=30, buffer_after=5)


@pytest.fixture
def branches(service: Service) -> list[Location]:
    """Return three branches: with a lunch break, always open, and closed at Christmas."""
    found = [make_location(service.organization, f"Branch {number}") for number in range(3)]
    LocationHours.objects.bulk_create(
        LocationHours(location=found[0], weekday=weekday, start=start, end=end)
        for weekday in range(5)
        for start, end in ((time(8), time(12)), (time(13), time(18)))
    )
    HolidayCalendar.objects.create(location=found[2], country="US")
    DateOverride.objects.create(location=found[1], first_day=MONDAY, last_day=MONDAY, all_methods=True)
    return found


@pytest.fixture
def people(service: Service, branches: list[Location]) -> list[StaffMember]:
    """Return 14 people who work, are off and are booked at random."""
    random = Random(7)
    found = make_staff(service.organization, 14)
    client = make_client(service.organization)
    for number, member in enumerate(found):
        member.location = branches[number % 3]
        member.time_zone = ZONES[number % 3] if number > 8 else None
        member.last_day = MONDAY + timedelta(days=4) if number == 5 else None
        member.save()
        spans = [(time(22), time(2))] if number == 13 else [(time(9), time(random.choice((12, 16))))]
        WorkingHours.objects.bulk_create(
            WorkingHours(staff=member, weekday=weekday, start=start, end=end, starts_on=starts_on)
            for weekday in range(5 if number % 2 else 3)
            for start, end in spans
            for starts_on in ((None, MONDAY + timedelta(days=7)) if number == 3 else (None,))
        )
        _book_at_random(random, service, member, client)
    override = DateOverride.objects.create(
        staff=found[1], first_day=MONDAY, last_day=MONDAY + timedelta(days=2), all_methods=True
    )
    override.hours.create(start=time(18), end=time(20))
    day = datetime.combine(MONDAY, time(0), UTC)
    TimeOff.objects.create(staff=found[2], starts_at=day, ends_at=day + timedelta(days=3))
    return [*StaffMember.objects.filter(pk__in=[member.pk for member in found]).order_by("pk")]


def _book_at_random(random: Random, service: Service, member: StaffMember, client: Any) -> None:
    for number in range(DAYS):
        first = datetime.combine(MONDAY + timedelta(days=number), time(8), UTC)
        for quarter in range(0, 40, 3):
            if random.random() < 0.7:
                make_appointment(service, member, client, first + timedelta(minutes=15 * quarter))


def search(service: Service, people: list[StaffMember], **rules: Any) -> AnyStaffSearch:
    pool = StaffPool.of_query(StaffMember.objects.filter(pk__in=[member.pk for member in people]))
    return AnyStaffSearch(service, pool, **{"zone": ZONES[0], "now": NOW, **rules})


def slots_by_day(
    service: Service, people: list[StaffMember], zone: ZoneInfo, **rules: Any
) -> dict[date, dict[int, set[int]]]:
    """Return who is free at each start of each day, by the calendars of all."""
    start = datetime.combine(MONDAY, time(0), zone)
    found = free_slots(service, people, start, start + timedelta(days=DAYS), now=NOW, **rules)
    days: dict[date, dict[int, set[int]]] = {MONDAY + timedelta(days=number): {} for number in range(DAYS)}
    for pk, slots in found.items():
        for slot in slots:
            days[datetime.fromtimestamp(slot, zone).date()].setdefault(slot, set()).add(pk)
    return days


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("method", [MeetingMethod.AT_LOCATION, MeetingMethod.PHONE])
@pytest.mark.parametrize("step", [15, 60])
def test_each_day_has_the_starts_of_all_calendars(
    service: Service, people: list[StaffMember], zone: ZoneInfo, method: MeetingMethod, step: int
) -> None:
    service.start_step = step
    expected = slots_by_day(service, people, zone, method=method)
    found = search(service, people, zone=zone, method=method)

    assert sum(map(len, expected.values())) > 100 / step
    for day, free in expected.items():
        assert [*found.starts_on(day)] == sorted(free)
    assert found.starts_between(MONDAY, MONDAY + timedelta(days=DAYS - 1)) == sorted(
        slot for free in expected.values() for slot in free
    )
    some = found.some_starts_by_day(MONDAY, MONDAY + timedelta(days=DAYS - 1))
    assert some.keys() == {day for day, free in expected.items() if free}
    assert all({*starts} <= expected[day].keys() for day, starts in some.items())


def test_at_a_branch_only_its_hours_count(
    service: Service, people: list[StaffMember], branches: list[Location]
) -> None:
    for branch in branches:
        expected = slots_by_day(service, people, ZONES[0], location=branch)
        found = search(service, people, location=branch)
        assert {day: [*found.starts_on(day)] for day in expected} == {
            day: sorted(free) for day, free in expected.items()
        }


def test_each_start_is_with_the_least_booked_of_those_who_are_free(service: Service, people: list[StaffMember]) -> None:
    found, expected = search(service, people), slots_by_day(service, people, ZONES[0])
    compared = 0
    for day, free in expected.items():
        booked = Counter(Appointment.objects.filter(starts_at__date=day).values_list("staff", flat=True))
        for slot, member in found.starts_on(day).items():
            assert member.pk in free[slot]
            # Hours in which the person doesn't work count less.
            assert booked[member.pk] <= min(booked[pk] for pk in free[slot]) + 6
            compared += len(free[slot]) > 1
    assert compared > 20


def test_the_next_times_are_those_of_all_calendars(service: Service, people: list[StaffMember]) -> None:
    expected = sorted({slot for free in slots_by_day(service, people, ZONES[0]).values() for slot in free})
    pool = StaffPool.of_query(StaffMember.objects.filter(pk__in=[member.pk for member in people]))
    after = datetime.fromtimestamp(expected[4], UTC)

    found = next_free_of_any_staff(service, pool, after, 30, now=NOW)

    assert [int(moment.timestamp()) for moment in found] == expected[4:34]


def test_the_time_of_an_appointment_that_moves_counts_as_free(service: Service, people: list[StaffMember]) -> None:
    person = people[0]
    Appointment.objects.exclude(staff=person).delete()
    day = MONDAY + timedelta(days=1)
    TimeOff.objects.exclude(staff=person).delete()
    moving = Appointment.objects.filter(staff=person, starts_at__date=day, starts_at__hour=10).get()
    Appointment.objects.exclude(pk=moving.pk).delete()
    only = [person, *people[10:]]
    WorkingHours.objects.exclude(staff=person).delete()

    found = search(service, only, ignoring=moving).starts_on(day)

    expected = slots_by_day(service, only, ZONES[0], ignoring=moving)[day]
    assert [*found] == sorted(expected)
    assert [*found] != [*search(service, only).starts_on(day)]


def test_a_day_on_which_all_branches_are_closed_ends_the_search_early(
    service: Service, people: list[StaffMember], branches: list[Location], monkeypatch: pytest.MonkeyPatch
) -> None:
    DateOverride.objects.all().delete()
    Appointment.objects.all().delete()
    for branch in branches:
        DateOverride.objects.create(location=branch, first_day=MONDAY, last_day=MONDAY)
    read: list[int] = []

    def counted(service: Service, members: list[StaffMember], *args: Any, **rules: Any) -> dict[int, list[int]]:
        read.append(len(members))
        return free_slots(service, members, *args, **rules)

    monkeypatch.setattr(any_staff, "free_slots", counted)

    assert search(service, people).starts_on(MONDAY) == {}
    assert read == [1, 2]


def test_people_who_are_booked_all_day_are_not_read(
    service: Service, people: list[StaffMember], monkeypatch: pytest.MonkeyPatch
) -> None:
    Appointment.objects.all().delete()
    DateOverride.objects.all().delete()
    client, day = make_client(service.organization, email="d@example.com"), MONDAY + timedelta(days=1)
    for member in people:
        start = datetime.combine(day, time(0), UTC)
        make_appointment(
            service, member, client, start, ends_at=start + timedelta(hours=24), busy_to=start + timedelta(hours=24)
        )
    WorkingHours.objects.filter(staff=people[13]).delete()
    read: list[int] = []
    monkeypatch.setattr(any_staff, "free_slots", lambda _service, members, *_args, **_rules: read.append(len(members)))

    assert search(service, people).starts_on(day) == {}
    assert read == []


@time_machine.travel(NOW, tick=False)
def test_the_first_times_of_many_are_whole_days(service: Service, people: list[StaffMember]) -> None:
    expected = slots_by_day(service, people, ZONES[0])

    found = find_first_slots(service, people, MONDAY, ZONES[0])

    first = next(day for day, free in expected.items() if free)
    assert [free.value for free in found.days[0].times] == sorted(expected[first])
    assert found.days[0].date == first
    assert found.later == found.days[-1].date + timedelta(days=1)


@time_machine.travel(NOW, tick=False)
def test_the_month_shows_the_days_of_all_calendars(service: Service, people: list[StaffMember]) -> None:
    expected = slots_by_day(service, people, ZONES[0])

    month = month_with_times(service, people, ZONES[0], day=MONDAY + timedelta(days=1))

    shown = {day.date for week in month.weeks for day in week if day.has_times}
    assert {day for day in shown if day >= MONDAY} == {
        day for day, free in expected.items() if free and day.month == 12
    }
    assert month.day is not None
    assert [start.value for start in month.starts] == sorted(expected[month.day])


@pytest.mark.parametrize("how_many", [5, 30])
def test_a_day_takes_the_same_queries_for_any_number_of_people(
    service: Service, how_many: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    people = make_staff(service.organization, how_many)
    for member in people:
        make_hours(member)
    found = search(service, people)

    # Three for the hours, one for the booked time, two for the first portion.
    with django_assert_num_queries(6):
        assert len(found.starts_on(MONDAY)) == 31


def test_people_who_have_no_time_at_the_starts_that_are_left_are_not_read(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = make_staff(service.organization, 30)
    client, first = make_client(service.organization), datetime.combine(MONDAY, time(9), UTC)
    for number, member in enumerate(people):
        make_hours(member)
        # Only the last one is free at 10:00.
        make_appointment(service, member, client, first + timedelta(hours=1 if number < 29 else 4))
    read: list[int] = []

    def counted(service: Service, members: list[StaffMember], *args: Any, **rules: Any) -> dict[int, list[int]]:
        read.append(len(members))
        return free_slots(service, members, *args, **rules)

    monkeypatch.setattr(any_staff, "free_slots", counted)

    found = search(service, people).starts_on(MONDAY)

    assert len(found) == 31
    assert found[int((first + timedelta(hours=1)).timestamp())] == people[29]
    assert read == [1, 2, 1]
