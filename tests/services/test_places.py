"""The locations at which a staff member provides their services."""

from __future__ import annotations

import pytest
from django.urls import reverse

from services.models import ServiceAssignment
from staff.audit_log.models import AuditEvent
from staff.audit_log.text import entries_of
from staff.models import Location, Organization, StaffMember
from tests.factories import make_hours, make_location, make_service


@pytest.fixture
def main_street(maple: Organization, sam: StaffMember) -> Location:
    sam.location = make_location(maple)
    sam.save()
    return sam.location


@pytest.fixture
def west_end(maple: Organization, sam: StaffMember, main_street: Location) -> Location:
    """Return a location where Sam works on Mondays."""
    place = make_location(maple, "West End")
    make_hours(sam)
    sam.working_hours.filter(weekday=0).update(location=place)
    return place


@pytest.fixture
def review(maple, sam: StaffMember) -> ServiceAssignment:
    make_service(maple, provided_by=(sam,))
    return ServiceAssignment.objects.get()


def page_of(person: StaffMember) -> str:
    return reverse("staff-service-places", args=[person.pk])


def test_a_service_is_limited_to_a_location_and_the_change_is_recorded(as_ada, sam, review, main_street, west_end):
    as_ada.post(page_of(sam), {f"places_{review.pk}": [main_street.pk]})

    assert list(review.locations.all()) == [main_street]
    [entry] = entries_of(AuditEvent.objects.filter(kind="service_places_changed"))
    assert entry.details == "Mortgage review: every location → Main Street"


def test_all_locations_are_no_limit(as_ada, sam, review, main_street, west_end):
    review.locations.set([main_street])

    as_ada.post(page_of(sam), {f"places_{review.pk}": [main_street.pk, west_end.pk]})

    assert not review.locations.exists()


def test_a_service_needs_a_location(as_ada, sam, review, main_street, west_end):
    page = as_ada.post(page_of(sam), {})

    assert page.context["places_form"].errors == {
        f"places_{review.pk}": ["Choose at least one location, or untick the service above."]
    }


def test_people_with_one_location_have_nothing_to_choose(as_ada, sam, review, main_street):
    page = as_ada.get(reverse("staff-services", args=[sam.pk]))

    assert page.context["places_form"] is None
