from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appointments.availability.calendars import Calendar, Durations
from appointments.availability.intervals import Interval
from appointments.availability.next_free import next_free, next_free_of_any_staff
from appointments.availability.slots import free_slots, is_within_hours
from appointments.models import Status
from services.models import Service
from staff.models import LocationHours, Organization, StaffMember, TimeOff, WorkingHours
from tests.factories import (
    make_appointment,
    make_client,
    make_hours,
    make_location,
    make_member,
    make_organization,
    make_service,
    make_staff,
)

MONDAY = date(2026, 11, 30)
FRIDAY_BEFORE = datetime(2026, 11, 27, 12, tzinfo=UTC)


def at(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def slots(
    service: Service,
    people: list[StaffMember],
    now: datetime = FRIDAY_BEFORE,
    *,
    days: int = 1,
    first_day: date = MONDAY,
    **rules: Any,
) -> dict[int, list[datetime]]:
    """Return the free slots of whole days in UTC."""
    start = at(0, 0, first_day)
    found = free_slots(service, people, start, start + timedelta(days=days), now=now, **rules)
    return {pk: [datetime.fromtimestamp(slot, UTC) for slot in slots] for pk, slots in found.items()}


def clock(starts: list[datetime]) -> list[str]:
    return [f"{start:%H:%M}" for start in starts]


@pytest.fixture
def maple(db: None) -> Organization:
    """Organisation without the staff of the other appointment tests."""
    return make_organization()


@pytest.fixture
def sam(maple: Organization) -> StaffMember:
    """Works from nine to eleven on weekdays."""
    member = make_member(maple)
    make_hours(member, time(9), time(11))
    return member


@pytest.mark.parametrize(
    ("durations", "busy", "free"),
    [
        # Hours are 0 to 100; an interval of starts includes the last moment at which the appointment still fits.
        (Durations(30), [], [(0, 71)]),
        (Durations(100), [], [(0, 1)]),
        (Durations(101), [], []),
        (Durations(30), [(40, 60)], [(0, 11), (60, 71)]),
        (Durations(30, before=5), [(40, 60)], [(0, 11), (65, 71)]),
        (Durations(30, after=5), [(40, 60)], [(0, 6), (60, 71)]),
        (Durations(30), [(0, 100)], []),
        (Durations(30), [(-50, 0), (100, 150)], [(0, 71)]),
        (Durations(30, before=5, after=5), [(-50, 0), (100, 150)], [(5, 66)]),
    ],
)
def test_an_appointment_and_its_buffers_fit_between_taken_times(
    durations: Durations, busy: list[Interval], free: list[Interval]
) -> None:
    assert Calendar(hours=[(0, 100)], off=[], busy=busy).free(durations) == free


def test_buffers_may_reach_out_of_hours_and_into_time_off() -> None:
    calendar = Calendar(hours=[(0, 30), (60, 90)], off=[(60, 90)], busy=[])

    assert calendar.free(Durations(30, before=10, after=40)) == [(0, 1)]


@pytest.mark.parametrize("durations", [Durations(30), Durations(20, before=7), Durations(25, after=11)])
def test_free_time_is_exactly_open_time_without_time_off_and_taken_time(durations: Durations) -> None:
    calendar = Calendar(hours=[(0, 60), (80, 200)], off=[(90, 100)], busy=[(130, 140), (160, 161)])

    free = {moment for start, end in calendar.free(durations) for moment in range(start, end)}

    assert free == {
        start
        for start in range(-50, 250)
        if any(a <= start and start + durations.duration <= b for a, b in calendar.hours)
        and not any(start < b and start + durations.duration > a for a, b in calendar.off)
        and not any(
            start - durations.before < b and start + durations.duration + durations.after > a for a, b in calendar.busy
        )
    }


def test_starts_are_the_quarter_hours_that_fit(sam: StaffMember, maple: Organization) -> None:
    service = make_service(maple, duration=60)

    starts = slots(service, [sam])

    assert starts == {sam.pk: [at(9), at(9, 15), at(9, 30), at(9, 45), at(10)]}


def test_appointments_block_their_time_unless_cancelled(sam: StaffMember, maple: Organization) -> None:
    service = make_service(maple, duration=30)
    client = make_client(maple)
    make_appointment(service, sam, client, at(9, 30))
    make_appointment(service, sam, client, at(10, 15), status=Status.CANCELLED)

    starts = slots(service, [sam])

    assert clock(starts[sam.pk]) == ["09:00", "10:00", "10:15", "10:30"]


def test_buffers_of_both_appointments_keep_their_distance(sam: StaffMember, maple: Organization) -> None:
    service = make_service(maple, duration=15, buffer_before=15, buffer_after=15)
    make_appointment(service, sam, make_client(maple), at(10))

    starts = slots(service, [sam])

    assert clock(starts[sam.pk]) == ["09:00", "09:15", "10:45"]


def test_time_off_blocks_slots_that_overlap_it(sam: StaffMember, maple: Organization) -> None:
    service = make_service(maple, duration=30)
    TimeOff.objects.create(staff=sam, starts_at=at(9, 30), ends_at=at(10))

    starts = slots(service, [sam])

    assert clock(starts[sam.pk]) == ["09:00", "10:00", "10:15", "10:30"]


def test_a_location_is_open_during_its_hours_in_its_own_zone(maple: Organization) -> None:
    branch = make_location(maple, time_zone=ZoneInfo("America/Toronto"))
    LocationHours.objects.create(location=branch, weekday=0, start=time(5), end=time(5, 30))
    sam = make_member(maple, location=branch, time_zone=ZoneInfo("UTC"))
    make_hours(sam, time(9), time(11))

    starts = slots(make_service(maple, duration=15), [sam])

    assert clock(starts[sam.pk]) == ["10:00", "10:15"]


def test_a_location_without_hours_is_always_open(maple: Organization) -> None:
    sam = make_member(maple, location=make_location(maple))
    make_hours(sam, time(9), time(10))

    starts = slots(make_service(maple), [sam])

    assert clock(starts[sam.pk]) == ["09:00", "09:15", "09:30"]


def test_staff_without_working_hours_are_never_free(maple: Organization) -> None:
    sam = make_member(maple)

    assert slots(make_service(maple), [sam]) == {sam.pk: []}


def test_the_window_is_cut_to_the_second_and_the_hours_are_the_staff_members_own(maple: Organization) -> None:
    auckland = make_member(maple, time_zone=ZoneInfo("Pacific/Auckland"))
    make_hours(auckland, time(0), time(2))
    sunday = date(2026, 11, 29)

    found = free_slots(make_service(maple), [auckland], at(11, 15, sunday), at(12, 15, sunday), now=FRIDAY_BEFORE)

    # Monday begins in Auckland at 11:00 of our Sunday; an end of 12:15 is outside.
    assert found == {auckland.pk: [int(at(11, 15, sunday).timestamp()) + 900 * n for n in range(4)]}


def test_an_empty_or_past_window_has_no_free_times(sam: StaffMember, maple: Organization) -> None:
    service = make_service(maple)

    assert free_slots(service, [sam], at(10), at(10), now=FRIDAY_BEFORE) == {sam.pk: []}
    assert free_slots(service, [sam], at(10), at(9), now=FRIDAY_BEFORE) == {sam.pk: []}
    assert free_slots(service, [sam], at(9), at(11), now=at(11)) == {sam.pk: []}
    assert free_slots(service, [], at(9), at(11), now=FRIDAY_BEFORE) == {}


def test_past_times_of_today_are_not_offered(sam: StaffMember, maple: Organization) -> None:
    starts = slots(make_service(maple), [sam], at(10, 7))

    assert clock(starts[sam.pk]) == ["10:15", "10:30"]


@pytest.mark.parametrize(
    ("for_clients", "expected"), [(True, ["10:00", "10:15", "10:30"]), (False, ["09:15", "09:30", "09:45"])]
)
def test_minimum_notice_holds_for_clients_only(
    for_clients: bool, expected: list[str], sam: StaffMember, maple: Organization
) -> None:
    service = make_service(maple, minimum_notice=60)

    starts = slots(service, [sam], at(9), for_clients=for_clients)[sam.pk]

    assert clock([start for start in starts if start > at(9)])[:3] == expected


def test_the_horizon_holds_for_clients_only(sam: StaffMember, maple: Organization) -> None:
    service = make_service(maple, booking_horizon_days=2)

    for_staff = slots(service, [sam], at(0), days=5)
    for_clients = slots(service, [sam], at(0), days=5, for_clients=True)

    assert [{start.day for start in starts[sam.pk]} for starts in (for_staff, for_clients)] == [
        {30, 1, 2, 3, 4},
        {30, 1},
    ]


@pytest.mark.parametrize(
    ("day", "weekday", "expected"),
    [
        # 01:00 to 04:00 in Toronto: two real hours in spring, four in autumn.
        (date(2027, 3, 14), 6, ["06:00", "06:30", "07:00", "07:30"]),
        (date(2026, 11, 1), 6, ["05:00", "05:30", "06:00", "06:30", "07:00", "07:30", "08:00", "08:30"]),
    ],
)
def test_clock_changes_take_or_give_an_hour(day: date, weekday: int, expected: list[str], maple: Organization) -> None:
    sam = make_member(maple, time_zone=ZoneInfo("America/Toronto"))
    WorkingHours.objects.create(staff=sam, weekday=weekday, start=time(1), end=time(4))

    starts = slots(make_service(maple), [sam], datetime(2026, 10, 1, tzinfo=UTC), first_day=day)

    assert [time for time in clock(starts[sam.pk]) if time[3:] in ("00", "30")] == expected


@pytest.mark.parametrize("how_many", [1, 3])
def test_any_number_of_staff_takes_the_same_queries(
    how_many: int, maple: Organization, django_assert_num_queries: Any
) -> None:
    branch = make_location(maple)
    LocationHours.objects.create(location=branch, weekday=0, start=time(8), end=time(18))
    service = make_service(maple)
    client = make_client(maple)
    for member in make_staff(maple, how_many, location=branch):
        make_hours(member)
        make_appointment(service, member, client, at(9))
    staff = list(StaffMember.objects.filter(organization=maple))

    # Locations, organisations, working hours, opening hours, time off and appointments.
    with django_assert_num_queries(3):
        starts = slots(service, staff)

    assert [len(free) for free in starts.values()] == [29] * how_many


def test_the_next_free_times_skip_weekends_and_taken_times(sam: StaffMember, maple: Organization) -> None:
    service = make_service(maple, duration=60)
    make_appointment(service, sam, make_client(maple), at(9, 15))

    free = next_free(service, sam, datetime(2026, 11, 27, 9, 45, tzinfo=UTC), 4, now=FRIDAY_BEFORE - timedelta(days=1))

    tuesday = MONDAY + timedelta(days=1)
    assert free == [
        datetime(2026, 11, 27, 9, 45, tzinfo=UTC),
        datetime(2026, 11, 27, 10, tzinfo=UTC),
        at(9, 0, tuesday),
        at(9, 15, tuesday),
    ]


def test_the_next_free_times_are_searched_to_the_horizon(sam: StaffMember, maple: Organization) -> None:
    service = make_service(maple, booking_horizon_days=60)
    TimeOff.objects.create(staff=sam, starts_at=at(0), ends_at=at(0) + timedelta(days=42))

    free = next_free(service, sam, at(9), 1, now=at(8))

    assert free == [at(9) + timedelta(days=42)]


def test_the_search_ends_for_staff_without_hours(maple: Organization) -> None:
    sam = make_member(maple)

    assert next_free(make_service(maple), sam, at(9), now=at(8)) == []


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(at(9), at(11), True), (at(8, 59), at(10), False), (at(10), at(11, 1), False)],
)
def test_hours_contain_only_times_wholly_inside(
    start: datetime, end: datetime, expected: bool, sam: StaffMember
) -> None:
    assert is_within_hours(sam, start, end) == expected


def test_an_appointment_that_is_moved_is_free_for_itself_and_keeps_its_length(
    sam: StaffMember, maple: Organization
) -> None:
    service = make_service(maple, duration=30)
    appointment = make_appointment(service, sam, make_client(maple), at(9, 30))

    starts = slots(service, [sam], ignoring=appointment, durations=Durations(90 * 60))

    assert clock(starts[sam.pk]) == ["09:00", "09:15", "09:30"]


def test_an_appointment_that_moves_is_not_offered_its_present_time(sam: StaffMember, maple: Organization) -> None:
    service = make_service(maple, duration=90)
    appointment = make_appointment(service, sam, make_client(maple), at(9, 30))

    starts = slots(service, [sam], ignoring=appointment)

    assert clock(starts[sam.pk]) == ["09:00", "09:15"]


def test_another_staff_member_is_offered_at_the_present_time(sam: StaffMember, maple: Organization) -> None:
    anna = make_member(maple, "Anna Berg")
    make_hours(anna, time(9), time(11))
    service = make_service(maple, duration=90)
    appointment = make_appointment(service, sam, make_client(maple), at(9, 30))

    starts = slots(service, [anna], ignoring=appointment)

    assert clock(starts[anna.pk]) == ["09:00", "09:15", "09:30"]


def test_the_next_free_times_of_a_move_are_as_many_as_asked_for(sam: StaffMember, maple: Organization) -> None:
    service = make_service(maple, duration=90)
    appointment = make_appointment(service, sam, make_client(maple), at(9))

    found = next_free(service, sam, at(9), 3, ignoring=appointment, now=FRIDAY_BEFORE)

    assert clock(found) == ["09:15", "09:30", "09:00"]


def test_several_stretches_a_day_are_each_their_own(maple: Organization) -> None:
    sam = make_member(maple)
    make_hours(sam, time(9), time(10))
    make_hours(sam, time(13), time(14))

    assert clock(slots(make_service(maple, duration=45), [sam])[sam.pk]) == [
        "09:00",
        "09:15",
        "13:00",
        "13:15",
    ]


def test_each_person_is_free_by_their_own_clock(maple: Organization) -> None:
    zones = ["UTC", "America/Toronto", "Asia/Kolkata"]
    people = [make_member(maple, name, time_zone=ZoneInfo(zone)) for name, zone in zip("ABC", zones, strict=True)]
    for member in people:
        make_hours(member, time(12), time(12, 30))

    found = slots(make_service(maple, duration=30), people)

    assert [clock(found[member.pk]) for member in people] == [["12:00"], ["17:00"], ["06:30"]]


def test_hours_to_the_end_of_a_day_go_on_into_the_next(maple: Organization) -> None:
    sam = make_member(maple)
    WorkingHours.objects.create(staff=sam, weekday=0, start=time(23), end=time(0))
    WorkingHours.objects.create(staff=sam, weekday=1, start=time(0), end=time(1))

    found = slots(make_service(maple, duration=90), [sam])

    assert clock(found[sam.pk]) == ["23:00", "23:15", "23:30"]


def test_an_appointment_from_the_day_before_still_takes_time(maple: Organization) -> None:
    sam = make_member(maple)
    make_hours(sam, time(0), time(2))
    service = make_service(maple, duration=30)
    sunday_night = at(23, 30, MONDAY - timedelta(days=1))
    make_appointment(
        service, sam, make_client(maple), sunday_night, ends_at=at(1), busy_to=at(1), busy_from=sunday_night
    )

    assert clock(slots(service, [sam])[sam.pk]) == ["01:00", "01:15", "01:30"]


def test_the_next_free_times_of_any_staff_are_listed_once_each(sam: StaffMember, maple: Organization) -> None:
    kim = make_member(maple, "Kim")
    make_hours(kim, time(10), time(11))
    service = make_service(maple, duration=60)
    make_appointment(service, sam, make_client(maple), at(9))

    free = next_free_of_any_staff(service, [sam, kim], at(8), 2, now=at(8))

    assert free == [at(10), at(9, 0, MONDAY + timedelta(days=1))]
