"""Pages that ask before they save a change of hours, staff or services that concerns booked appointments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils.html import escape

from appointments.attention.conditions import needing_attention
from services.forms import ServiceForm
from services.models import MeetingMethod, ServiceAssignment
from staff.audit_log.models import AuditEvent
from staff.hours import TimeRange, week_of
from staff.models import StaffMember
from staff.planned_changes import Cause
from tests.appointments.conftest import Maple, monday
from tests.cast import signed_in
from tests.factories import make_appointment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]

TUESDAY_ONLY = {"d1_0_start": "09:00", "d1_0_end": "17:00"}


@dataclass(frozen=True)
class Page:
    """A form of an admin, the fields that orphan Sam's appointment, and what must be stored afterwards."""

    cause: Cause
    url: Callable[[Maple], str]
    fields: Callable[[Maple], dict[str, Any]]
    is_saved: Callable[[Maple], bool]


def person_fields(**changes: Any) -> dict[str, Any]:
    person = {"first_name": "Sam", "last_name": "Okafor", "email": "sam@maple.example", "username": "sam"}
    return {**person, "role": "staff", "is_active": "on", **changes}


def service_fields(maple: Maple) -> dict[str, Any]:
    """Return the fields of the service as they are, but not active."""
    form = ServiceForm(instance=maple.review)
    values = {name: form[name].value() for name in form.fields if name != "active"}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def stored_sam(maple: Maple) -> StaffMember:
    return StaffMember.objects.get(pk=maple.sam.pk)


PAGES = {
    "time off": Page(
        Cause.TIME_OFF,
        lambda maple: reverse("staff-time-off", args=[maple.sam.pk]),
        lambda maple: {"first_day": "2026-11-30", "reason": "Trip"},
        lambda maple: maple.sam.time_off.exists(),
    ),
    "hours": Page(
        Cause.OUTSIDE_HOURS,
        lambda maple: reverse("staff-hours", args=[maple.sam.pk]),
        lambda maple: TUESDAY_ONLY,
        lambda maple: week_of(maple.sam) == [TimeRange(1, time(9), time(17))],
    ),
    "not active": Page(
        Cause.LEFT,
        lambda maple: reverse("staff-edit", args=[maple.sam.pk]),
        lambda maple: person_fields(is_active=""),
        lambda maple: not stored_sam(maple).is_active,
    ),
    "last day": Page(
        Cause.AFTER_LAST_DAY,
        lambda maple: reverse("staff-edit", args=[maple.sam.pk]),
        lambda maple: person_fields(last_day="2026-11-29"),
        lambda maple: stored_sam(maple).last_day is not None,
    ),
    "zone": Page(
        Cause.OUTSIDE_HOURS,
        lambda maple: reverse("staff-edit", args=[maple.sam.pk]),
        lambda maple: person_fields(time_zone="Pacific/Auckland"),
        lambda maple: stored_sam(maple).zone.key == "Pacific/Auckland",
    ),
    "services of a person": Page(
        Cause.NOT_ASSIGNED,
        lambda maple: reverse("staff-services", args=[maple.sam.pk]),
        lambda maple: {"services": []},
        lambda maple: not ServiceAssignment.objects.exists(),
    ),
    "staff of a service": Page(
        Cause.NOT_ASSIGNED,
        lambda maple: reverse("service-staff", args=[maple.review.pk]),
        lambda maple: {"shown": [maple.sam.pk], "people": []},
        lambda maple: not ServiceAssignment.objects.exists(),
    ),
    "service": Page(
        Cause.SERVICE_OFF,
        lambda maple: reverse("service-edit", args=[maple.review.pk]),
        service_fields,
        lambda maple: not type(maple.review).objects.get().active,
    ),
    "meeting methods": Page(
        Cause.METHOD_OFF,
        lambda maple: reverse("service-more", args=[maple.review.pk]),
        lambda maple: {"method_2": "on"},
        lambda maple: list(maple.review.meeting_methods.values_list("method", flat=True)) == [MeetingMethod.PHONE],
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_changes_before_the_answer(maple: Maple, as_ada: Browser, name: str) -> None:
    page = PAGES[name]
    booked = maple.book()
    recorded = AuditEvent.objects.count()

    response = as_ada.post(page.url(maple), page.fields(maple))

    assert "This change concerns 1 booked appointment" in response.text
    assert reverse("appointment", args=[booked.pk]) in response.text
    assert (page.is_saved(maple), AuditEvent.objects.count()) == (False, recorded)


@pytest.mark.parametrize("name", PAGES)
def test_leaving_them_saves_and_they_need_attention(maple: Maple, as_ada: Browser, name: str) -> None:
    page = PAGES[name]
    booked = maple.book()

    response = as_ada.post(page.url(maple), {**page.fields(maple), "affected": "leave"}, follow=True)

    assert "Saved. 1 appointment needs attention." in response.text
    assert page.is_saved(maple)
    assert list(needing_attention(maple.organization, [page.cause])) == [booked]


@pytest.mark.parametrize("name", PAGES)
def test_without_appointments_it_is_saved_at_once(maple: Maple, as_ada: Browser, name: str) -> None:
    page = PAGES[name]

    as_ada.post(page.url(maple), page.fields(maple))

    assert page.is_saved(maple)


@pytest.mark.parametrize("action", ["reassign", "move", "cancel"])
def test_an_action_saves_and_opens_its_page_with_these_appointments(maple: Maple, as_ada: Browser, action: str) -> None:
    page = PAGES["time off"]
    maple.book()

    response = as_ada.post(page.url(maple), {**page.fields(maple), "affected": action}, follow=True)

    assert page.is_saved(maple)
    assert response.request["PATH_INFO"] == reverse("attention-change")
    assert (response.context["number"], response.context["action"]) == (1, action)


def test_back_keeps_the_input_and_saves_nothing(maple: Maple, as_ada: Browser) -> None:
    page = PAGES["time off"]
    maple.book()

    response = as_ada.post(page.url(maple), {**page.fields(maple), "affected": "back"})

    assert not page.is_saved(maple)
    assert response.context["time_off_form"]["reason"].value() == "Trip"


def test_the_list_can_be_searched_and_keeps_the_input(maple: Maple, as_ada: Browser) -> None:
    page = PAGES["time off"]
    maple.book()

    response = as_ada.post(page.url(maple), {**page.fields(maple), "affected": "search", "affected_words": "xyz"})

    assert "None of these appointments matches the search." in response.text
    assert '<input type="hidden" name="reason" value="Trip">' in response.text


def test_a_password_is_not_on_the_page(maple: Maple, as_ada: Browser) -> None:
    page = PAGES["not active"]
    maple.book()

    response = as_ada.post(page.url(maple), {**page.fields(maple), "current_password": "correct horse battery"})

    assert "This change concerns" in response.text
    assert "correct horse battery" not in response.text


def test_text_in_the_form_is_escaped(maple: Maple, as_ada: Browser) -> None:
    page = PAGES["time off"]
    maple.book()

    response = as_ada.post(page.url(maple), {**page.fields(maple), "reason": '"><b>'})

    assert escape('"><b>') in response.text
    assert '"><b>' not in response.text


def test_another_change_of_the_person_is_saved_at_once(maple: Maple, as_ada: Browser) -> None:
    booked = maple.book()
    as_ada.post(PAGES["hours"].url(maple), {**TUESDAY_ONLY, "affected": "leave"})

    as_ada.post(PAGES["not active"].url(maple), person_fields(last_name="Ito"))

    assert (stored_sam(maple).last_name, list(needing_attention(maple.organization))) == ("Ito", [booked])


def test_a_refused_change_shows_its_error_instead_of_the_list(maple: Maple, as_ada: Browser) -> None:
    page = PAGES["time off"]
    maple.book()
    as_ada.post(page.url(maple), {**page.fields(maple), "affected": "leave"})

    response = as_ada.post(page.url(maple), page.fields(maple))

    assert "This overlaps other time off." in response.text


def test_staff_can_only_leave_their_appointments_or_go_back(maple: Maple) -> None:
    page = PAGES["time off"]
    maple.book()

    response = signed_in(maple.sam).post(page.url(maple), page.fields(maple))

    assert "Save and leave them" in response.text
    assert "Save and reassign" not in response.text


def test_the_number_of_queries_does_not_grow(maple: Maple, as_ada: Browser, django_assert_max_num_queries) -> None:
    page = PAGES["time off"]
    for number in range(3):
        make_appointment(maple.review, maple.sam, maple.cleo, monday(9) + timedelta(hours=number))

    with django_assert_max_num_queries(25):
        as_ada.post(page.url(maple), page.fields(maple))
