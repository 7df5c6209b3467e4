"""The day on the schedule."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Status
from appointments.schedule.days import people_on, schedule_of
from services.models import MeetingMethod
from staff.models import DateOverride, HolidayCalendar, Role, TimeOff
from tests.appointments.conftest import MONDAY, Maple, monday
from tests.cast import signed_in
from tests.factories import (
    make_appointment,
    make_client,
    make_hours,
    make_location,
    make_member,
    make_organization,
    make_service,
)

pytestmark = pytest.mark.usefixtures("friday")
DAY = MONDAY.date()
DAY_TEXT = DAY.isoformat()


@pytest.fixture
def as_sam(maple: Maple) -> Browser:
    return signed_in(maple.sam)


def on_monday(**payload: Any) -> dict[str, Any]:
    return {"date": DAY_TEXT, **payload}


def names(page) -> list[str]:
    return [column.member.name for column in page.context["shown"].columns]


def test_a_scheduler_sees_all_staff_who_work_here(maple: Maple, as_sky: Browser):
    make_member(maple.organization, "Tess Moor")

    page = as_sky.get(reverse("schedule"), {"date": DAY_TEXT})

    # Sky provides nothing and has no hours.
    assert names(page) == ["Sam Okafor", "Tess Moor"]


def test_staff_see_only_their_own_column(maple: Maple, as_sam: Browser):
    make_member(maple.organization, "Tess Moor")

    page = as_sam.get(reverse("schedule"), on_monday(q="Tess"))

    assert names(page) == ["Sam Okafor"]


def test_staff_of_another_organisation_are_not_shown(maple: Maple, as_sky: Browser):
    cedar = make_organization("Cedar Bank")
    make_member(cedar, "Olga Weber")

    page = as_sky.get(reverse("schedule"), {"date": DAY_TEXT})

    assert names(page) == ["Sam Okafor"]


def test_the_columns_follow_location_service_and_search(maple: Maple, as_sky: Browser):
    west = make_location(maple.organization, "West")
    tess = make_member(maple.organization, "Tess Moor", location=west)
    loan = make_service(maple.organization, "Loan", provided_by=(tess,))

    found = [
        names(as_sky.get(reverse("schedule"), on_monday(**payload)))
        for payload in (
            {"location": west.pk},
            {"service": loan.pk},
            {"q": "moor te"},
            {"q": "Moor, Tess"},
            {"q": "nobody"},
        )
    ]

    assert found == [["Tess Moor"], ["Tess Moor"], ["Tess Moor"], ["Tess Moor"], []]


def test_another_organisations_location_is_refused_and_filters_nothing(maple: Maple, as_sky: Browser):
    foreign = make_location(make_organization("Cedar Bank"))

    page = as_sky.get(reverse("schedule"), on_monday(location=foreign.pk))

    assert names(page) == ["Sam Okafor"]
    assert page.context["form"].errors["location"] == [
        "Select a valid choice. That choice is not one of the available choices."
    ]


def test_an_invalid_date_shows_today_and_an_error(maple: Maple, as_sky: Browser):
    page = as_sky.get(reverse("schedule"), {"date": "tomorrow"})

    assert page.context["shown"].first.isoformat() == "2026-11-27"
    assert page.context["form"].errors["date"] == ["Enter a date such as 2026-12-31."]


def test_a_page_has_twelve_columns(maple: Maple, as_sky: Browser):
    for number in range(13):
        make_member(maple.organization, f"P{number:02} Person")

    page = as_sky.get(reverse("schedule"), on_monday(page=2))

    assert names(page) == ["P12 Person", "Sam Okafor"]
    assert "Staff 13–14 of 14" in page.content.decode()


def test_the_list_shows_the_day_without_scripts(maple: Maple, as_sky: Browser):
    appointment = maple.book(method=MeetingMethod.PHONE)

    content = as_sky.get(reverse("schedule"), {"date": DAY_TEXT}).content.decode()

    assert f'href="{reverse("appointment", args=[appointment.pk])}"' in content
    assert "10:00–10:30" in content
    assert "Times are in UTC." in content


def test_a_search_without_results_shows_a_sentence_and_a_link(maple: Maple, as_sky: Browser):
    page = as_sky.get(reverse("schedule"), on_monday(q="nobody"))

    assert page.context["calendar"] is None
    assert "No staff match." in page.content.decode()
    assert f'href="{reverse("schedule")}?date={DAY_TEXT}">Show everyone' in page.content.decode()


@pytest.mark.django_db
def test_an_admin_without_staff_reads_what_to_add_first():
    ada = make_member(make_organization("Birch Bank"), "Ada Lovell", Role.ADMIN)

    page = signed_in(ada).get(reverse("schedule"), {"view": "week"}).text

    assert "Appointments appear here once clients can book." in page
    for name in ("location-list", "service-list", "staff-list"):
        assert f'<a href="{reverse(name)}">' in page
    assert "No staff match." not in page


@pytest.mark.django_db
def test_a_scheduler_without_staff_reads_who_can_add_them():
    sky = make_member(make_organization("Birch Bank"), "Sky Lund", Role.SCHEDULER)

    page = signed_in(sky).get(reverse("schedule")).text

    assert "Ask an admin to add staff" in page
    assert f'<a href="{reverse("staff-list")}">' not in page


def test_working_hours_and_time_off_are_background_events(maple: Maple):
    TimeOff.objects.create(staff=maple.sam, starts_at=monday(12), ends_at=monday(13))

    [column] = schedule_of([maple.sam], DAY, 1, maple.sky.zone).columns

    assert column.working == [(monday(9), monday(12)), (monday(13), monday(17))]
    assert column.closed == [(monday(0), monday(9)), (monday(17), monday(0) + timedelta(days=1))]
    assert column.away == [(monday(12), monday(13))]


def test_a_day_off_is_shown_like_time_off(maple: Maple):
    DateOverride.objects.create(staff=maple.sam, first_day=DAY, last_day=DAY, all_methods=True)

    [column] = schedule_of([maple.sam], DAY, 1, maple.sky.zone).columns

    assert (column.working, column.closed) == ([], [])
    assert column.away == [(monday(0), monday(0) + timedelta(days=1))]


def test_a_closing_of_several_locations_is_one_line(maple: Maple, as_sky: Browser):
    tess = make_member(maple.organization, "Tess Moor", location=make_location(maple.organization, "West End"))
    make_hours(tess)
    maple.sam.location = make_location(maple.organization)
    maple.sam.save()
    for member in (maple.sam, tess):
        DateOverride.objects.create(location=member.location, first_day=DAY, last_day=DAY, label="Staff training")

    page = as_sky.get(reverse("schedule"), on_monday()).content.decode()

    assert page.count("Closed: Staff training") == 1
    assert "Main Street, West End" in page
    assert "Phone and video go on." in page


def test_a_public_holiday_is_named(maple: Maple, as_sky: Browser):
    maple.sam.location = make_location(maple.organization)
    maple.sam.save()
    HolidayCalendar.objects.create(location=maple.sam.location, country="CA")

    page = as_sky.get(reverse("schedule"), {"date": "2026-12-25"}).content.decode()

    assert "Closed: Christmas Day" in page


def test_a_late_appointment_extends_the_day(maple: Maple):
    maple.book(starts_at=monday(20), outside_hours=True)

    day = schedule_of([maple.sam], DAY, 1, maple.sky.zone)

    assert day.hours == (8, 21)


def test_the_calendar_data_has_local_times_of_the_viewers_zone(maple: Maple, as_sky: Browser):
    maple.sky.time_zone = "America/Toronto"
    maple.sky.save()
    maple.book(starts_at=monday(15))

    response = as_sky.get(reverse("schedule-events"), {"date": DAY_TEXT}).json()

    booked = [event for event in response["events"] if "id" in event]
    page = as_sky.get(reverse("schedule"), {"date": DAY_TEXT}).content.decode()
    assert "Times are in Toronto time (EST)." in page
    assert response["zone"] == "America/Toronto"
    assert [(event["start"], event["title"]) for event in booked] == [("2026-11-30T10:00:00", "Cleo Brandt")]


def test_an_unchanged_day_answers_304(maple: Maple, as_sky: Browser):
    first = as_sky.get(reverse("schedule-events"), {"date": DAY_TEXT})

    again = as_sky.get(reverse("schedule-events"), {"date": DAY_TEXT}, headers={"If-None-Match": first["ETag"]})
    maple.book()
    changed = as_sky.get(reverse("schedule-events"), {"date": DAY_TEXT}, headers={"If-None-Match": first["ETag"]})

    assert [again.status_code, changed.status_code] == [304, 200]


def test_cancelled_appointments_are_not_shown(maple: Maple, as_sky: Browser):
    make_appointment(maple.review, maple.sam, maple.cleo, monday(10), status=Status.CANCELLED)

    page = as_sky.get(reverse("schedule"), {"date": DAY_TEXT})

    assert [column.appointments for column in page.context["shown"].columns] == [[]]


def link_on_monday(sky: Browser) -> tuple[str, str]:
    """Return the link state of the only appointment, and its label in the list."""
    page = sky.get(reverse("schedule"), {"date": DAY_TEXT})
    ((booked,),) = [column.appointments for column in page.context["shown"].columns]
    words = "No link yet" if "No link yet" in page.content.decode() else ""
    return booked.link, words


def test_a_video_appointment_that_was_booked_without_a_link_is_marked(maple: Maple, as_sky: Browser):
    make_appointment(maple.review, maple.sam, maple.cleo, monday(10), method=MeetingMethod.VIDEO)

    assert link_on_monday(as_sky) == ("failed", "No link yet")


@pytest.mark.parametrize(
    "changes",
    [
        {"method": MeetingMethod.PHONE},
        {"method": MeetingMethod.VIDEO, "personal_meeting_url": "https://meet.example/sam"},
        {"method": MeetingMethod.VIDEO, "status": Status.SERVED},
    ],
    ids=["no video call", "a personal link", "over"],
)
def test_an_appointment_that_needs_no_link_is_not_marked(maple: Maple, as_sky: Browser, changes: dict[str, Any]):
    make_appointment(maple.review, maple.sam, maple.cleo, monday(10), **changes)

    assert link_on_monday(as_sky) == ("", "")


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_day_takes_the_same_queries_for_any_number_of_people(
    maple: Maple, as_sky: Browser, how_many: int, django_assert_num_queries
):
    for number in range(how_many - 1):
        member = make_member(maple.organization, f"Tess{number} Moor")
        make_hours(member)
        cleo = make_client(maple.organization)
        make_appointment(maple.review, member, cleo, monday(10) + timedelta(hours=number))
    maple.book()

    # Session, member, row of the session, locations, services, count, people, fingerprint, calendars, appointments,
    # days off.
    with django_assert_num_queries(DAY_QUERIES):
        as_sky.get(reverse("schedule"), {"date": DAY_TEXT})


DAY_QUERIES = 11


def test_a_person_without_hours_is_shown_while_they_have_an_appointment(maple: Maple):
    gone = make_member(maple.organization, "Gus Gone", Role.STAFF, is_active=False)
    make_appointment(maple.review, gone, maple.cleo, monday(10))

    seen = [list(people_on(maple.sky, day)) for day in (DAY, DAY + timedelta(days=1))]

    assert seen == [[gone, maple.sam], [maple.sam]]


@pytest.mark.parametrize("name", ["schedule", "schedule-events"])
@pytest.mark.parametrize("date", ["0001-01-01", "1999-12-31", "2200-01-01", "9999-12-31"])
def test_a_day_outside_the_calendar_shows_today(maple: Maple, as_sky: Browser, name: str, date: str):
    page = as_sky.get(reverse(name), {"date": date})

    assert page.status_code == 200
    assert "2026-11-27" in page.content.decode()


@pytest.mark.parametrize("date", ["2000-01-01", "2199-12-31"])
def test_the_first_and_the_last_day_are_shown(maple: Maple, as_sky: Browser, date: str):
    page = as_sky.get(reverse("schedule"), {"date": date})

    assert page.context["shown"].first.isoformat() == date


@pytest.mark.parametrize(("minutes", "is_short"), [(30, True), (45, False)])
def test_half_an_hour_is_drawn_in_two_lines(maple: Maple, as_sky: Browser, minutes: int, is_short: bool):
    maple.review.duration = minutes
    maple.review.save()
    maple.book()

    day = as_sky.get(reverse("schedule-events"), on_monday()).json()

    [booked] = [event for event in day["events"] if "title" in event]
    assert ("booked-short" in booked["classNames"]) == is_short


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (monday(0), monday(0) + timedelta(days=1), "Time off all day"),
        (monday(12), monday(0) + timedelta(days=1), "09:00–12:00 · Time off 12:00–24:00"),
        (monday(13), monday(15), "09:00–13:00, 15:00–17:00 · Time off 13:00–15:00"),
    ],
)
def test_time_off_is_shown_in_hours_or_as_all_day(maple: Maple, start: datetime, end: datetime, words: str):
    TimeOff.objects.create(staff=maple.sam, starts_at=start, ends_at=end)

    page = signed_in(maple.sam).get(reverse("schedule"), {"date": "2026-11-30"}).content.decode()

    assert words in " ".join(page.split())


@pytest.mark.parametrize(("step", "snap"), [(60, "00:15"), (15, "00:15"), (20, "00:05"), (5, "00:05")])
def test_a_drag_can_reach_the_start_times_of_the_services_shown(maple: Maple, as_sky: Browser, step: int, snap: str):
    maple.review.start_step = step
    maple.review.save()
    maple.book()

    assert as_sky.get(reverse("schedule-events"), on_monday()).json()["snap"] == snap
