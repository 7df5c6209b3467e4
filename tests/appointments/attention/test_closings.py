"""Pages of closings, exceptions and opening hours that ask before they leave booked appointments outside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.attention.conditions import needing_attention
from appointments.models import Appointment
from services.models import MeetingMethod
from staff.closings.overrides import OverrideValues, add_closings
from staff.models import DateOverride, Location, LocationHours
from staff.planned_changes import Cause
from tests.appointments.conftest import Maple, monday
from tests.factories import make_location

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]

CLOSED = {"first_day": "2026-11-30", "kind": "closed"}
PAGES: dict[str, tuple[Callable[[Maple, Location], str], Callable[[Location], dict[str, Any]]]] = {
    "closing": (lambda maple, branch: reverse("closings"), lambda branch: {**CLOSED, "locations": [branch.pk]}),
    "exception": (lambda maple, branch: reverse("staff-exceptions", args=[maple.sam.pk]), lambda branch: CLOSED),
    "opening hours": (
        lambda maple, branch: reverse("location-hours", args=[branch.pk]),
        lambda branch: {"d1_0_start": "09:00", "d1_0_end": "17:00"},
    ),
}


@pytest.fixture
def branch(maple: Maple) -> Location:
    """Sam's branch."""
    branch = make_location(maple.organization)
    maple.sam.location = branch
    maple.sam.save()
    return branch


@pytest.mark.parametrize("name", PAGES)
def test_nothing_changes_before_the_answer(maple: Maple, branch: Location, as_ada: Browser, name: str) -> None:
    url, fields = PAGES[name]
    maple.book()

    response = as_ada.post(url(maple, branch), fields(branch))

    assert "This change concerns 1 booked appointment" in response.text
    assert not DateOverride.objects.exists()
    assert not LocationHours.objects.exists()


@pytest.mark.parametrize("name", PAGES)
def test_the_appointment_that_is_left_needs_attention(
    maple: Maple, branch: Location, as_ada: Browser, name: str
) -> None:
    url, fields = PAGES[name]
    booked = maple.book()

    as_ada.post(url(maple, branch), {**fields(branch), "affected": "leave"})

    assert list(needing_attention(maple.organization, [Cause.OUTSIDE_HOURS])) == [booked]


def test_a_removed_closing_settles_the_appointment(maple: Maple, branch: Location, as_ada: Browser) -> None:
    url, fields = PAGES["closing"]
    maple.book()
    as_ada.post(url(maple, branch), {**fields(branch), "affected": "leave"})

    as_ada.post(reverse("closing-remove", args=[DateOverride.objects.get().pk]))

    assert list(needing_attention(maple.organization)) == []


def test_a_closing_in_person_leaves_phone_appointments(maple: Maple, branch: Location, as_ada: Browser) -> None:
    url, fields = PAGES["closing"]
    maple.book(method=MeetingMethod.PHONE)

    as_ada.post(url(maple, branch), fields(branch))

    assert DateOverride.objects.exists()


def test_a_closing_looks_at_the_appointments_of_its_days_only(maple: Maple, branch: Location) -> None:
    concerned, later = maple.book(), maple.book(starts_at=monday(10) + timedelta(days=28))
    # As if its hours had changed: a look at it would take the mark away.
    Appointment.objects.filter(pk=later.pk).update(outside_hours_since=monday(0))

    add_closings([branch], OverrideValues(first_day=monday(0).date(), last_day=monday(0).date()))

    concerned.refresh_from_db()
    later.refresh_from_db()
    assert (concerned.outside_hours_since is None, later.outside_hours_since) == (False, monday(0))
