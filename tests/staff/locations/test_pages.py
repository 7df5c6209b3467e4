"""Settings > Locations: list, add, edit, opening hours."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from staff.audit_log.kinds import LOCATION_ADDED, LOCATION_CHANGED, OPENING_HOURS_CHANGED
from staff.audit_log.models import AuditEvent
from staff.audit_log.text import entries_of
from staff.closings.future_weeks import future_weeks, save_future_week
from staff.forms.locations import LocationForm
from staff.forms.people import AddPersonForm, PersonForm
from staff.hours import TimeRange
from staff.locations.week import opening_week_of, replace_opening_week
from staff.models import Location, Organization, StaffMember
from tests.factories import make_location, make_member, make_organization

LIST, ADD = reverse("location-list"), reverse("location-add")
DETAILS = {
    "name": "Harbourfront",
    "street": "8 Queens Quay West",
    "city": "Toronto",
    "region": "ON",
    "postal_code": "M5J 2Y3",
    "country": "CA",
    "phone": "",
    "time_zone": "America/Toronto",
    "latitude": "",
    "longitude": "",
    "active": "on",
}


def edit_page(location: Location) -> str:
    return reverse("location-edit", args=[location.pk])


def test_an_admin_adds_a_location_and_goes_on_to_its_hours(as_ada: Browser) -> None:
    response = as_ada.post(ADD, {**DETAILS, "latitude": "43.64120049", "longitude": "−79.3769"})

    location = Location.objects.get()
    assert response["Location"] == reverse("location-hours", args=[location.pk])
    assert location.address == "8 Queens Quay West, Toronto, ON M5J 2Y3, Canada"
    assert (location.latitude, location.longitude) == (Decimal("43.641200"), Decimal("-79.376900"))
    assert location.active


def test_a_new_location_starts_with_the_zone_and_country_of_the_organisation(
    as_ada: Browser, maple: Organization
) -> None:
    Organization.objects.update(time_zone="America/Halifax")

    form = as_ada.get(ADD).context["form"]

    assert (form["time_zone"].value(), form["country"].value()) == (ZoneInfo("America/Halifax"), "CA")


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "", "This field is required."),
        ("name", "MAIN STREET", "Another location has this name. Choose a different one."),
        ("street", "1 Pier\nBcc: all", "Write this on one line, without tabs and other control characters."),
        ("country", "XX", "Select a valid choice. XX is not one of the available choices."),
        ("time_zone", "", "This field is required."),
        ("latitude", "north", "Enter a number."),
        ("latitude", "91", "Ensure this value is less than or equal to 90."),
        ("longitude", "NaN", "Enter a number."),
        ("longitude", "-180.1", "Ensure this value is greater than or equal to -180."),
    ],
)
def test_bad_input_gets_a_sentence_and_adds_nothing(
    as_ada: Browser, maple: Organization, field: str, typed: str, sentence: str
) -> None:
    make_location(maple)

    response = as_ada.post(ADD, {**DETAILS, "latitude": "43", "longitude": "-79", field: typed})

    assert response.context["form"].errors == {field: [sentence]}
    assert response.context["form"]["postal_code"].value() == "M5J 2Y3"
    assert Location.objects.count() == 1


def test_a_national_phone_number_is_read_in_the_country_of_the_location(as_ada: Browser) -> None:
    as_ada.post(ADD, {**DETAILS, "phone": "(416) 555-0192"})

    assert Location.objects.get().phone == "+14165550192"


@pytest.mark.parametrize(("given", "missing"), [("latitude", "longitude"), ("longitude", "latitude")])
def test_half_a_pair_of_coordinates_is_refused(as_ada: Browser, given: str, missing: str) -> None:
    response = as_ada.post(ADD, {**DETAILS, given: "43.6"})

    assert response.context["form"].errors == {missing: ["Enter both coordinates, or neither."]}


def test_two_organisations_can_use_the_same_name(as_ada: Browser) -> None:
    make_location(make_organization("Cedar Bank"), "Harbourfront")

    assert as_ada.post(ADD, DETAILS).status_code == 302


def test_a_name_that_was_taken_meanwhile_is_refused_with_the_same_sentence(
    as_ada: Browser, maple: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Skip the check of the form once, as if the other location was saved right after it."""
    make_location(maple, "Harbourfront")
    real, calls = LocationForm.clean_name, []

    def late(form: Any) -> Any:
        calls.append(form)
        return form.cleaned_data["name"] if len(calls) == 1 else real(form)

    monkeypatch.setattr(LocationForm, "clean_name", late)
    monkeypatch.setattr(Location, "validate_constraints", lambda *args, **options: None)

    response = as_ada.post(ADD, DETAILS)

    assert response.context["form"].errors["name"] == ["Another location has this name. Choose a different one."]


def test_an_admin_edits_and_closes_a_location(as_ada: Browser, maple: Organization) -> None:
    location = make_location(maple)

    as_ada.post(edit_page(location), {**DETAILS, "active": ""})

    location.refresh_from_db()
    assert (location.name, location.active) == ("Harbourfront", False)


def test_the_audit_log_has_each_change_of_a_location(as_ada: Browser, maple: Organization) -> None:
    as_ada.post(ADD, {**DETAILS, "latitude": "43.6", "longitude": "-79.4"})
    location = Location.objects.get()
    as_ada.post(edit_page(location), {**DETAILS, "active": ""})
    as_ada.post(reverse("location-hours", args=[location.pk]), {"d0_0_start": "09:00", "d0_0_end": "17:00"})

    added, changed, hours = entries_of(AuditEvent.objects.filter(kind__in=KINDS).order_by("pk"))
    assert "Latitude: 43.600000" in added.details
    assert changed.details == "Latitude: 43.600000 → –; Longitude: -79.400000 → –; Active: yes → no"
    assert hours.details == "always open → Monday 09:00–17:00"
    assert [added.page, changed.page] == [edit_page(location)] * 2


KINDS = [kind.name for kind in (LOCATION_ADDED, LOCATION_CHANGED, OPENING_HOURS_CHANGED)]


def test_a_location_of_another_organisation_is_not_found(as_ada: Browser) -> None:
    theirs = make_location(make_organization("Cedar Bank"))

    for page in (edit_page(theirs), reverse("location-hours", args=[theirs.pk])):
        assert [as_ada.get(page).status_code, as_ada.post(page, DETAILS).status_code] == [404, 404]
    assert theirs not in as_ada.get(LIST).context["page"].object_list


def test_a_scheduler_and_a_staff_member_are_refused(as_sky: Browser, as_sam: Browser, maple: Organization) -> None:
    pages = [LIST, ADD, edit_page(make_location(maple))]

    assert {browser.get(page).status_code for browser in (as_sky, as_sam) for page in pages} == {403}


def names(response: Any) -> list[str]:
    return [location.name for location in response.context["page"]]


def test_the_list_is_searched_by_name_city_and_postal_code(as_ada: Browser, maple: Organization) -> None:
    make_location(maple, "Main Street", city="Toronto", postal_code="M4E 2V8")
    make_location(maple, "Vancouver", city="Vancouver", postal_code="V6C 3A8", active=False)

    assert names(as_ada.get(LIST)) == ["Main Street", "Vancouver"]
    assert names(as_ada.get(LIST, {"q": "toronto"})) == ["Main Street"]
    assert names(as_ada.get(LIST, {"q": "v6c"})) == ["Vancouver"]
    assert names(as_ada.get(LIST, {"active": "active"})) == ["Main Street"]


@pytest.mark.parametrize("how_many", [1, 25])
def test_any_number_of_locations_takes_the_same_queries(
    as_ada: Browser, maple: Organization, how_many: int, django_assert_num_queries: Any
) -> None:
    Location.objects.bulk_create(
        Location(organization=maple, name=f"Branch {number}", time_zone=ZoneInfo("UTC")) for number in range(how_many)
    )

    with django_assert_num_queries(6):
        as_ada.get(LIST)


def test_the_list_counts_the_active_staff(as_ada: Browser, maple: Organization) -> None:
    location = make_location(maple)
    make_member(maple, "Ben Carter", location=location)
    make_member(maple, "Gone Person", location=location, is_active=False)

    (row,) = as_ada.get(LIST).context["page"]

    assert row.staff_count == 1


def test_opening_hours_are_replaced(as_ada: Browser, maple: Organization) -> None:
    location = make_location(maple)
    page = reverse("location-hours", args=[location.pk])
    assert "counts as always open" in as_ada.get(page).content.decode()

    as_ada.post(page, {"d0_0_start": "09:00", "d0_0_end": "12:00", "d0_1_start": "13:00", "d0_1_end": "17:00"})

    assert opening_week_of(location) == [TimeRange(0, time(9), time(12)), TimeRange(0, time(13), time(17))]
    assert "counts as always open" not in as_ada.get(page).content.decode()


def test_hours_are_copied_to_other_days_without_saving(as_ada: Browser, maple: Organization) -> None:
    location = make_location(maple)

    response = as_ada.post(
        reverse("location-hours", args=[location.pk]),
        {"d0_0_start": "09:00", "d0_0_end": "17:00", "copy": "1", "copy_from": "0", "copy_to": ["1", "4"]},
    )

    assert response.context["week_form"]["d4_0_end"].value() == "17:00"
    assert opening_week_of(location) == []


def test_overlapping_hours_are_refused_and_the_stored_ones_stay(as_ada: Browser, maple: Organization) -> None:
    location = make_location(maple)
    stored = [TimeRange(0, time(9), time(17))]
    replace_opening_week(location, stored)

    response = as_ada.post(
        reverse("location-hours", args=[location.pk]),
        {"d0_0_start": "09:00", "d0_0_end": "12:00", "d0_1_start": "11:00", "d0_1_end": "17:00"},
    )

    assert response.context["week_form"].errors == {"d0_1_end": ["This overlaps 09:00–12:00."]}
    assert opening_week_of(location) == stored


def test_new_staff_are_offered_active_locations_only(maple: Organization) -> None:
    open_, closed = make_location(maple), make_location(maple, "Old Town", active=False)
    sam = make_member(maple, location=closed)

    assert list(offered(AddPersonForm(instance=StaffMember(organization=maple)))) == [open_]
    # A person who works at a closed location stays there.
    assert list(offered(PersonForm(instance=sam))) == [open_, closed]


def offered(form: PersonForm) -> Any:
    return form.fields["location"].queryset  # type: ignore[attr-defined]


# --- Opening hours from a later day on ---------------------------------------------------------------------
LATER = date(2099, 1, 5)


def hours_page(location: Location) -> str:
    return reverse("location-hours", args=[location.pk])


def test_opening_hours_with_a_start_leave_those_in_force_until_then(as_ada: Browser, maple: Organization) -> None:
    location = make_location(maple)
    replace_opening_week(location, [TimeRange(0, time(9), time(17))])
    starts_on = timezone.localdate() + timedelta(days=30)

    as_ada.post(hours_page(location), {"d0_0_start": "10:00", "d0_0_end": "12:00", "starts_on": starts_on.isoformat()})

    assert opening_week_of(location) == [TimeRange(0, time(9), time(17))]
    assert future_weeks(location) == [(starts_on, [TimeRange(0, time(10), time(12))])]


def test_future_opening_hours_are_shown_removed_and_recorded(as_ada: Browser, maple: Organization) -> None:
    location = make_location(maple)
    save_future_week(location, LATER, [TimeRange(0, time(10), time(12))])

    page = as_ada.get(hours_page(location), {"from": "2099-01-05"})
    as_ada.post(reverse("location-future-hours-remove", args=[location.pk, "2099-01-05"]))

    assert page.context["week_form"]["d0_0_start"].value() == time(10)
    assert future_weeks(location) == []
    details = [
        entry.details for entry in entries_of(AuditEvent.objects.filter(kind__startswith="future_").order_by("pk"))
    ]
    assert details == ["from Mon 5 Jan 2099 on: Monday 10:00–12:00", "from Mon 5 Jan 2099 on"]


def test_future_opening_hours_need_at_least_one_day(as_ada: Browser, maple: Organization) -> None:
    location = make_location(maple)
    starts_on = timezone.localdate() + timedelta(days=30)

    page = as_ada.post(hours_page(location), {"starts_on": starts_on.isoformat()})

    assert page.context["week_form"].errors["__all__"] == [
        "Enter hours for at least one day. If the location closes then, add a closing instead."
    ]


def test_the_list_and_the_hours_name_the_zone_by_its_city(as_ada: Browser, maple: Organization) -> None:
    branch = make_location(maple, time_zone=ZoneInfo("America/St_Johns"))

    opened = as_ada.get(reverse("location-hours", args=[branch.pk])).text
    listed = as_ada.get(LIST).text

    assert "In St Johns time." in opened
    assert ">St Johns time</td>" in listed
    assert "America/" not in opened + listed
