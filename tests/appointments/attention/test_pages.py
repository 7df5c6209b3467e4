"""Pages on which appointments that need attention stand, and those that change them in bulk."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.attention.bulk_worker import work_on_bulk_change
from appointments.bulk_change_models import BulkAction, BulkChange
from appointments.models import Appointment, Status
from staff.audit_log.models import AuditEvent
from staff.hours import add_time_off
from staff.models import StaffMember
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment, make_client, make_location, make_member, make_organization, make_service

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]

LIST, CHANGE = reverse("attention"), reverse("attention-change")


@pytest.fixture
def orphaned(maple: Maple) -> Appointment:
    """An appointment of Cleo with Sam, who is off then."""
    booked = maple.book()
    add_time_off(maple.sam, starts_at=monday(0), ends_at=monday(12), reason="")
    return booked


def listed(browser: Browser, **query: str | int) -> list[Appointment]:
    response = browser.get(LIST, query)
    return [appointment for appointment, _reason, _result in response.context["rows"]]


def test_the_list_says_why(orphaned: Appointment, as_sky: Browser) -> None:
    response = as_sky.get(LIST)

    assert [(each.pk, reason) for each, reason, _result in response.context["rows"]] == [
        (orphaned.pk, "Sam Okafor is off then.")
    ]
    assert "Sam Okafor is off then." in response.text


def test_the_list_is_filtered_by_reason_person_location_and_words(
    maple: Maple, orphaned: Appointment, as_sky: Browser, tess: StaffMember
) -> None:
    place = make_location(maple.organization)
    dora = make_client(maple.organization, "Dora Klein", email="dora@example.com")
    with_tess = make_appointment(maple.review, tess, dora, monday(11), location=place)
    tess.is_active = False
    tess.save()

    assert listed(as_sky) == [orphaned, with_tess]
    assert listed(as_sky, cause="left") == [with_tess]
    assert listed(as_sky, person=maple.sam.pk) == [orphaned]
    assert listed(as_sky, location=place.pk) == [with_tess]
    assert listed(as_sky, q="dora") == [with_tess]
    assert listed(as_sky, q="sam", cause="left") == []


@pytest.mark.parametrize(
    "query", [{"cause": "x"}, {"person": "x"}, {"location": "99999999999999999999"}, {"page": "x"}]
)
def test_invalid_filters_are_ignored(orphaned: Appointment, as_sky: Browser, query: dict[str, str]) -> None:
    assert listed(as_sky, **query) == [orphaned]


def test_an_empty_list_says_so(maple: Maple, as_sky: Browser) -> None:
    assert "Nothing needs attention." in as_sky.get(LIST).text


def test_the_number_of_queries_does_not_grow_with_the_rows(
    maple: Maple, orphaned: Appointment, as_sky: Browser, django_assert_max_num_queries
) -> None:
    for number in range(5):
        person = make_member(maple.organization, f"Person{number}")
        make_appointment(
            maple.review, person, maple.cleo, monday(13), location=make_location(maple.organization, person.name)
        )

    with django_assert_max_num_queries(12):
        assert len(listed(as_sky)) == 6


def test_a_bulk_change_is_confirmed_first(orphaned: Appointment, as_sky: Browser) -> None:
    response = as_sky.post(CHANGE, {"action": "cancel", "appointment": orphaned.pk, "shown": orphaned.pk})

    assert "Cancel 1 appointment" in response.text
    assert not BulkChange.objects.exists()


def test_a_confirmed_bulk_change_starts_and_shows_its_progress(
    maple: Maple, orphaned: Appointment, as_sky: Browser
) -> None:
    fields = {"action": "cancel", "appointment": orphaned.pk, "confirmed": "yes", "reason": "We close early."}

    response = as_sky.post(CHANGE, fields, follow=True)

    change = BulkChange.objects.get()
    assert response.request["PATH_INFO"] == reverse("attention-progress", args=[change.pk])
    assert "0 of 1 appointments…" in response.text
    assert (change.started_by, change.reason) == (maple.sky, "We close early.")
    work_on_bulk_change(change.pk)
    assert "1 appointment is done." in as_sky.get(response.request["PATH_INFO"]).text
    orphaned.refresh_from_db()
    assert orphaned.status == Status.CANCELLED


def test_a_cancellation_needs_a_reason(orphaned: Appointment, as_sky: Browser) -> None:
    response = as_sky.post(CHANGE, {"action": "cancel", "appointment": orphaned.pk, "confirmed": "yes", "reason": ""})

    assert "This field is required." in response.text
    assert not BulkChange.objects.exists()


def test_everything_on_all_pages_keeps_the_filter(maple: Maple, orphaned: Appointment, as_sky: Browser) -> None:
    late = maple.book(starts_at=monday(13))
    add_time_off(maple.sam, starts_at=monday(13), ends_at=monday(14), reason="")

    as_sky.post(f"{CHANGE}?q=cleo", {"action": "move", "everything": "true", "shown": late.pk, "confirmed": "yes"})

    assert [item.appointment for item in BulkChange.objects.get().items.all()] == [orphaned]


@pytest.mark.parametrize("fields", [{}, {"action": "move"}, {"action": "explode", "everything": "true"}])
def test_without_a_selection_or_action_nothing_starts(
    orphaned: Appointment, as_sky: Browser, fields: dict[str, str]
) -> None:
    response = as_sky.post(CHANGE, {**fields, "confirmed": "yes"}, follow=True)

    assert "No appointment is selected." in response.text
    assert not BulkChange.objects.exists()


def test_an_appointment_of_another_organisation_cannot_be_selected(maple: Maple, as_sky: Browser) -> None:
    cedar = make_organization("Cedar Bank")
    otto = make_member(cedar, "Otto Keller", is_active=False)
    foreign = make_appointment(make_service(cedar), otto, make_client(cedar), monday(10))

    as_sky.post(CHANGE, {"action": "cancel", "appointment": foreign.pk, "confirmed": "yes", "reason": "x"})

    assert not BulkChange.objects.exists()


def test_a_bulk_change_is_in_the_audit_log(orphaned: Appointment, as_sky: Browser, as_ada: Browser) -> None:
    as_sky.post(CHANGE, {"action": "move", "appointment": orphaned.pk, "confirmed": "yes"})

    assert AuditEvent.objects.filter(kind="bulk_change_started").count() == 1
    assert "Offer other times: 1" in as_ada.get(reverse("audit-log")).text


def test_the_result_of_a_bulk_change_stays_visible(orphaned: Appointment, as_sky: Browser) -> None:
    as_sky.post(CHANGE, {"action": "reassign", "appointment": orphaned.pk, "confirmed": "yes"})
    change = BulkChange.objects.get(action=BulkAction.REASSIGN)
    work_on_bulk_change(change.pk)

    for url in (LIST, reverse("attention-progress", args=[change.pk]), reverse("appointment", args=[orphaned.pk])):
        assert "Nobody else provides this service there." in as_sky.get(url).text


def test_the_appointment_page_says_why(orphaned: Appointment, as_sky: Browser) -> None:
    text = as_sky.get(reverse("appointment", args=[orphaned.pk])).text

    assert "<strong>Needs attention:</strong> Sam Okafor is off then." in text


@pytest.mark.parametrize("view", ["list", "week", ""])
def test_the_schedule_marks_the_appointment(orphaned: Appointment, as_sky: Browser, view: str) -> None:
    query = {"date": "2026-11-30", "view": view}
    before = as_sky.get(reverse("schedule"), {"date": (monday(0) + timedelta(days=7)).date().isoformat()}).text

    assert as_sky.get(reverse("schedule"), query).text.count("Needs attention") > before.count("Needs attention")


def test_the_schedule_refreshes_when_a_service_is_switched_off(maple: Maple, as_sky: Browser) -> None:
    maple.book()
    url, query = reverse("schedule-events"), {"date": "2026-11-30"}
    before = as_sky.get(url, query)["ETag"]

    maple.review.active = False
    maple.review.save()

    assert as_sky.get(url, query)["ETag"] != before
