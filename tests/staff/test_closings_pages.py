"""Settings > Closings: closings and public holidays of locations."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from staff.audit_log.models import AuditEvent
from staff.audit_log.text import entries_of
from staff.models import DateOverride, HolidayCalendar, Location
from tests.cast import signed_in
from tests.factories import make_location, make_organization

PAGE = reverse("closings")
CHRISTMAS_EVE = date(2026, 12, 24)


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel(datetime(2026, 11, 25, 12, tzinfo=UTC)):
        yield


@pytest.fixture
def main_street(maple) -> Location:
    return make_location(maple, time_zone=ZoneInfo("America/Toronto"))


@pytest.fixture
def west_end(maple) -> Location:
    return make_location(maple, "West End", time_zone=ZoneInfo("America/Vancouver"))


def closing(*locations: Location, **typed: str) -> dict[str, object]:
    return {
        "first_day": "2026-12-24",
        "kind": "closed",
        "label": "Staff training",
        "locations": [str(location.pk) for location in locations],
        **typed,
    }


def make_closing(location: Location, **fields: object) -> DateOverride:
    return DateOverride.objects.create(
        **{"location": location, "first_day": CHRISTMAS_EVE, "last_day": CHRISTMAS_EVE, **fields}
    )


def errors_of(response) -> dict[str, list[str]]:
    return dict(response.context["form"].errors)


# --- Closings ----------------------------------------------------------------------------------------------
def test_one_closing_is_added_to_several_locations(as_ada, main_street, west_end):
    page = as_ada.post(PAGE, closing(main_street, west_end), follow=True)

    found = DateOverride.objects.values_list("location__name", "first_day", "last_day", "label", "all_methods")
    assert sorted(found) == [
        ("Main Street", CHRISTMAS_EVE, CHRISTMAS_EVE, "Staff training", False),
        ("West End", CHRISTMAS_EVE, CHRISTMAS_EVE, "Staff training", False),
    ]
    assert "Thu 24 Dec 2026" in page.text


def test_a_location_may_be_open_at_other_hours(as_ada, main_street):
    as_ada.post(PAGE, closing(main_street, kind="hours", start_1="10:00", end_1="14:00", all_methods="on"))

    override = main_street.overrides.get()
    assert override.all_methods
    assert [(row.start, row.end) for row in override.hours.all()] == [(time(10), time(14))]


def test_a_closing_can_be_changed_and_removed(as_ada, main_street):
    override = make_closing(main_street)

    as_ada.post(reverse("closing-edit", args=[override.pk]), {"first_day": "2026-12-23", "kind": "closed"})
    changed = list(main_street.overrides.values_list("first_day", flat=True))
    as_ada.post(reverse("closing-remove", args=[override.pk]))

    assert changed == [date(2026, 12, 23)]
    assert not main_street.overrides.exists()


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"last_day": "2026-12-23"}, {"last_day": ["The last day is before the first day."]}),
        ({"locations": []}, {"locations": ["Choose at least one location."]}),
        ({"kind": "hours"}, {"kind": ["Enter the hours, or choose “Closed”."]}),
        (
            {"first_day": "2027-03-14", "kind": "hours", "start_1": "02:30", "end_1": "09:00"},
            {"end_1": ["Clocks change on 14 March 2027 and skip 02:30. Choose another time."]},
        ),
    ],
)
def test_a_closing_that_cannot_be_right_is_refused_and_stays_in_the_form(typed, errors, as_ada, main_street):
    response = as_ada.post(PAGE, {**closing(main_street), **typed})

    assert errors_of(response) == errors
    assert not DateOverride.objects.exists()
    assert 'value="Staff training"' in response.text


def test_a_closing_that_overlaps_another_is_added_nowhere(as_ada, main_street, west_end):
    make_closing(west_end)

    response = as_ada.post(PAGE, closing(main_street, west_end))

    assert errors_of(response) == {
        "__all__": ["West End already has an exception on Thu 24 Dec 2026. Change that one, or choose other days."]
    }
    assert not main_street.overrides.exists()


def test_a_location_of_another_organisation_is_refused(as_ada, main_street):
    foreign = make_location(make_organization("Cedar Bank", slug="cedar-two"))

    as_ada.post(PAGE, closing(foreign))

    assert not DateOverride.objects.exists()


def test_each_change_of_a_closing_is_recorded(as_ada, main_street):
    as_ada.post(PAGE, closing(main_street, all_methods="on"))
    override = main_street.overrides.get()
    as_ada.post(
        reverse("closing-edit", args=[override.pk]),
        {"first_day": "2026-12-24", "kind": "hours", "start_1": "09:00", "end_1": "12:00"},
    )
    as_ada.post(reverse("closing-remove", args=[override.pk]))

    entries = entries_of(AuditEvent.objects.filter(kind__startswith="closing").order_by("pk"))
    assert [(entry.kind, entry.subject, entry.details) for entry in entries] == [
        ("Closing added", "Main Street", "Thu 24 Dec 2026, closed, Staff training, also phone and video"),
        (
            "Closing changed",
            "Main Street",
            "Thu 24 Dec 2026, closed, Staff training, also phone and video → Thu 24 Dec 2026, 09:00–12:00",
        ),
        ("Closing removed", "Main Street", "Thu 24 Dec 2026, 09:00–12:00"),
    ]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_takes_a_constant_number_of_queries(rows, as_ada, maple, django_assert_num_queries):
    for number in range(rows):
        location = make_location(maple, f"Branch {number}")
        make_closing(location)
        HolidayCalendar.objects.create(location=location, country="CA")

    # Session, user, locations, their choices, closings with a count and their hours, those of the coming year with
    # their hours, holidays.
    with django_assert_num_queries(12):
        as_ada.get(PAGE)


# --- Public holidays ---------------------------------------------------------------------------------------
ONTARIO = {"country": "CA", "region": "ON", "year": "2026"}


def holidays_of(location: Location) -> str:
    return reverse("location-holidays", args=[location.pk])


def test_the_holidays_of_a_region_are_shown_by_year_before_anything_is_saved(as_ada, main_street):
    page = as_ada.get(holidays_of(main_street), {**ONTARIO, "year": "2027"})

    assert "15 Feb · Family Day" in page.text
    assert "Mon 27 Dec · Christmas Day (observed)" in page.text
    assert not HolidayCalendar.objects.exists()


def test_a_holiday_is_switched_off_in_every_year(as_ada, main_street):
    names = {
        name for name, _label in as_ada.get(holidays_of(main_street), ONTARIO).context["form"]["closed"].field.choices
    }

    as_ada.post(
        holidays_of(main_street),
        {**ONTARIO, "closed": sorted(names - {"Family Day"}), "all_methods": "on", "locations": [main_street.pk]},
    )

    calendar = main_street.holiday_calendar
    assert (calendar.country, calendar.region, calendar.all_methods) == ("CA", "ON", True)
    assert calendar.switched_off == ["Family Day"]


def test_several_locations_observe_the_same_holidays(as_ada, main_street, west_end):
    as_ada.post(holidays_of(main_street), {**ONTARIO, "locations": [main_street.pk, west_end.pk]})
    page = as_ada.get(PAGE)

    assert HolidayCalendar.objects.count() == 2
    assert page.text.count("Christmas Day") == 0


def test_the_list_names_a_holiday_once_for_all_locations(as_ada, main_street, west_end):
    for location in (main_street, west_end):
        HolidayCalendar.objects.create(location=location, country="CA", region="ON")

    page = as_ada.get(PAGE)

    assert page.text.count("· Christmas Day") == 1
    assert "All locations" in page.text


def test_a_location_may_have_no_holidays_again(as_ada, main_street):
    HolidayCalendar.objects.create(location=main_street, country="CA", region="ON")

    as_ada.post(holidays_of(main_street), {"country": "", "region": "", "year": "2026", "locations": [main_street.pk]})

    assert not HolidayCalendar.objects.exists()


def test_a_change_of_holidays_is_recorded(as_ada, main_street):
    as_ada.post(
        holidays_of(main_street), {"country": "CA", "region": "", "year": "2026", "locations": [main_street.pk]}
    )

    [entry] = entries_of(AuditEvent.objects.filter(kind="holidays_changed"))
    assert entry.subject == "Main Street"
    assert entry.details.startswith("no holidays → Canada, in person only, open on ")


@pytest.mark.parametrize("typed", [{"country": "XX"}, {"region": "Mars"}, {"year": "1"}, {"year": "next"}])
def test_an_unknown_region_or_year_falls_back_to_one_that_exists(typed, as_ada, main_street):
    assert as_ada.get(holidays_of(main_street), {**ONTARIO, **typed}).status_code == 200


def test_the_holidays_are_a_tab_of_the_location(as_ada, main_street):
    page = as_ada.get(holidays_of(main_street))
    saved = as_ada.post(holidays_of(main_street), {**ONTARIO, "locations": [main_street.pk]})

    assert f'aria-current="page" href="{holidays_of(main_street)}">Holidays</a>' in page.text
    assert f'href="{reverse("location-edit", args=[main_street.pk])}">Details</a>' in page.text
    assert saved["Location"] == holidays_of(main_street)


@pytest.mark.parametrize(
    ("now", "year"),
    [
        ("2026-12-25T12:00Z", 2026),  # Boxing Day is still to come.
        ("2026-12-30T12:00Z", 2027),
        ("2027-01-01T02:00Z", 2027),  # 31 December in Toronto.
    ],
)
def test_the_preview_opens_on_the_year_of_the_next_holiday(now, year, ada, main_street):
    HolidayCalendar.objects.create(location=main_street, country="CA", region="ON")

    with time_machine.travel(datetime.fromisoformat(now)):
        browser = signed_in(ada)
        region = browser.get(holidays_of(main_street)).context["region"]
        chosen = browser.get(holidays_of(main_street), {**ONTARIO, "year": "2026"}).context["region"]

    assert region.chosen_year == year
    assert chosen.chosen_year == 2026
