"""Week on the schedule, of one or several staff members, and its polling."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment, Client, Status
from integrations.models import Meeting
from services.models import MeetingMethod
from staff.models import DateOverride, HolidayCalendar, Location, StaffMember, TimeOff, WorkingHours
from tests.appointments.conftest import MONDAY, Maple, monday
from tests.cast import signed_in
from tests.factories import make_appointment, make_client, make_hours, make_location, make_member, make_organization

pytestmark = pytest.mark.usefixtures("friday")
WEEK: dict[str, Any] = {"view": "week", "date": (MONDAY + timedelta(days=2)).date().isoformat()}


def cells(page, name: str) -> list[list[str]]:
    [row] = [row for row in page.context["week"].rows if row.member.name == name]
    return [[booked["client"] for booked in cell.chips] for cell in row.cells]


def test_a_week_begins_on_monday(maple: Maple, as_sky: Browser):
    maple.book()
    maple.book(starts_at=monday(10) + timedelta(days=4))

    page = as_sky.get(reverse("schedule"), WEEK)

    assert page.context["shown"].first == MONDAY.date()
    assert cells(page, "Sam Okafor") == [["Cleo Brandt"], [], [], [], ["Cleo Brandt"]]


def test_a_weekend_is_shown_only_if_it_is_used(maple: Maple, as_sky: Browser):
    maple.book(starts_at=monday(10) + timedelta(days=5), outside_hours=True)

    days = as_sky.get(reverse("schedule"), WEEK).context["shown"].days

    assert [day.strftime("%a") for day in days] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]


def test_appointments_and_coming_days_are_links_without_scripts(maple: Maple, as_sky: Browser):
    appointment = maple.book(method=MeetingMethod.PHONE)

    content = as_sky.get(reverse("schedule"), WEEK).content.decode()

    assert f'href="{reverse("appointment", args=[appointment.pk])}"' in content
    assert f'href="{reverse("appointment-add")}?staff={maple.sam.pk}&amp;date=2026-12-01"' in content


def test_past_days_offer_no_booking(maple: Maple, as_sky: Browser):
    content = as_sky.get(reverse("schedule"), {"view": "week", "date": "2026-11-16"}).content.decode()

    assert "week-book" not in content


def test_a_name_links_to_the_week_of_that_person_in_columns(maple: Maple, as_sky: Browser):
    make_member(maple.organization, "Tess Moor")
    maple.book()

    many = as_sky.get(reverse("schedule-events"), WEEK).json()
    one = as_sky.get(reverse("schedule-events"), {**WEEK, "staff": maple.sam.pk}).json()

    assert many == {}
    assert (one["view"], one["hiddenDays"]) == ("timeGridWeek", [6, 0])
    assert [event["title"] for event in one["events"] if "title" in event] == ["Cleo Brandt"]


def test_staff_see_their_own_week_for_any_requested_staff_member(maple: Maple):
    tess = make_member(maple.organization, "Tess Moor")

    page = signed_in(maple.sam).get(reverse("schedule"), {**WEEK, "staff": tess.pk})

    assert [column.member for column in page.context["shown"].columns] == [maple.sam]
    assert "week-book" not in page.content.decode()


def test_a_member_of_another_organisation_is_not_a_choice(maple: Maple, as_sky: Browser):
    otto = make_member(make_organization("Cedar Bank"), "Otto Weber")

    page = as_sky.get(reverse("schedule"), {**WEEK, "staff": otto.pk})

    assert [column.member for column in page.context["shown"].columns] == [maple.sam]
    assert list(page.context["form"].errors) == ["staff"]


def test_links_keep_the_day_and_the_filters(maple: Maple, as_sky: Browser):
    page = as_sky.get(reverse("schedule"), {**WEEK, "q": "sam"})

    assert page.context["next_url"] == "?view=week&date=2026-12-07&q=sam"
    assert [(label, url) for _value, label, url in page.context["views"]] == [
        ("Day", "?date=2026-12-02&q=sam"),
        ("Week", "?view=week&date=2026-12-02&q=sam"),
        ("List", "?view=list&date=2026-12-02&q=sam"),
    ]


def test_names_and_services_are_escaped(maple: Maple, as_sky: Browser):
    maple.book(client=make_client(maple.organization, "<b>🥥 Zoë</b>"))

    content = as_sky.get(reverse("schedule"), WEEK).content.decode()

    assert "&lt;b&gt;🥥 Zoë&lt;/b&gt;" in content
    assert "<b>🥥" not in content


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_week_takes_the_same_queries_for_any_number_of_people(
    maple: Maple, as_sky: Browser, how_many: int, django_assert_num_queries
):
    for number in range(how_many - 1):
        member = make_member(maple.organization, f"Tess{number} Moor")
        make_hours(member)
        for day in range(how_many):
            make_appointment(maple.review, member, maple.cleo, monday(10) + timedelta(days=day))
    maple.book()

    with django_assert_num_queries(WEEK_QUERIES):
        as_sky.get(reverse("schedule"), WEEK)


# Session, member, row of the session, locations, services, count, people, fingerprint, calendars, appointments,
# days off.
WEEK_QUERIES = 11


def poll(browser: Browser, etag: str = "") -> Any:
    return browser.get(reverse("schedule-events"), WEEK, headers={"If-None-Match": etag} if etag else {})


def test_the_poll_is_304_and_loads_no_appointment_while_nothing_changes(
    maple: Maple, as_sky: Browser, django_assert_num_queries
):
    maple.book()
    etag = poll(as_sky)["ETag"]

    # Session, member, row of the session, count, people, fingerprint.
    with django_assert_num_queries(6):
        response = poll(as_sky, etag)

    assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)


def test_the_page_has_the_etag_of_its_data(maple: Maple, as_sky: Browser):
    page = as_sky.get(reverse("schedule"), WEEK)

    assert page.context["etag"] == poll(as_sky)["ETag"]


def make_exception(maple: Maple) -> DateOverride:
    days = {"first_day": monday(0).date(), "last_day": monday(0).date()}
    return DateOverride.objects.create(staff=maple.sam, all_methods=True, **days)


CHANGES: dict[str, Callable[[Maple], object]] = {
    "booked": lambda maple: maple.book(starts_at=monday(14)),
    "a status": lambda maple: Appointment.objects.update(status=Status.ARRIVED),
    "cancelled": lambda maple: Appointment.objects.update(status=Status.CANCELLED),
    "a client's name": lambda maple: Client.objects.update(name="Cleo Stone"),
    "a link": lambda maple: Meeting.objects.update(join_url="https://teams.example/1", synced_version=1),
    "time off": lambda maple: TimeOff.objects.create(staff=maple.sam, starts_at=monday(12), ends_at=monday(13)),
    "hours": lambda maple: WorkingHours.objects.filter(weekday=0).delete(),
    "an exception": lambda maple: make_exception(maple),
    "hours of an exception": lambda maple: make_exception(maple).hours.create(start=time(9), end=time(10)),
    "a staff member's name": lambda maple: StaffMember.objects.filter(pk=maple.sam.pk).update(first_name="Samuel"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_visible_change_changes_the_etag(maple_with_teams: Maple, change: Callable[[Maple], object]):
    sky = signed_in(maple_with_teams.sky)
    maple_with_teams.book(method=MeetingMethod.VIDEO)
    etag = poll(sky)["ETag"]

    change(maple_with_teams)

    assert poll(sky, etag).status_code == 200


CLOSINGS: dict[str, Callable[[Location], object]] = {
    "a closing": lambda branch: DateOverride.objects.create(
        location=branch, first_day=monday(0).date(), last_day=monday(0).date()
    ),
    "holidays": lambda branch: HolidayCalendar.objects.create(location=branch, country="CA"),
}


@pytest.mark.parametrize("change", CLOSINGS.values(), ids=CLOSINGS)
def test_a_closing_changes_the_etag(maple: Maple, as_sky: Browser, change: Callable[[Location], object]):
    maple.sam.location = make_location(maple.organization)
    maple.sam.save()
    etag = poll(as_sky)["ETag"]

    change(maple.sam.location)

    assert poll(as_sky, etag).status_code == 200
