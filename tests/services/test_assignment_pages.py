"""Assignments of staff to services, from the page of either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models.signals import post_save
from django.urls import reverse

from services.models import ServiceAssignment
from tests.factories import make_location, make_member, make_service, make_staff


@pytest.fixture
def newly_assigned() -> Iterator[list[tuple[str, str]]]:
    """Collect (staff member, service) of each assignment that `post_save` reports."""
    told: list[tuple[str, str]] = []

    def note(instance: ServiceAssignment, created: bool, **kwargs: Any) -> None:
        assert created
        told.append((instance.staff.first_name, instance.service.name))

    post_save.connect(note, sender=ServiceAssignment)
    yield told
    post_save.disconnect(note, sender=ServiceAssignment)


def providers_of(service) -> set[str]:
    return set(service.staff.values_list("first_name", flat=True))


def names_on(response) -> list[str]:
    return [person.first_name for person in response.context["page"]]


def test_the_selected_staff_provide_the_service(as_ada, ada, sam, maple, newly_assigned):
    service = make_service(maple, provided_by=(ada,))

    response = as_ada.post(
        reverse("service-staff", args=[service.pk]),
        {"shown": [ada.pk, sam.pk], "people": [sam.pk]},
        follow=True,
    )

    assert providers_of(service) == {"Sam"}
    assert newly_assigned == [("Sam", "Mortgage review")]
    assert [str(message) for message in response.context["messages"]] == ["Saved."]


def test_staff_on_other_pages_keep_their_assignments(as_ada, sam, maple):
    nia = make_member(maple, "Nia Jones")
    service = make_service(maple, provided_by=(nia,))

    as_ada.post(reverse("service-staff", args=[service.pk]), {"shown": [sam.pk], "people": [sam.pk]})

    assert providers_of(service) == {"Nia", "Sam"}


def test_only_new_assignments_send_the_signal(as_ada, sam, maple, newly_assigned):
    service = make_service(maple, provided_by=(sam,))

    as_ada.post(reverse("service-staff", args=[service.pk]), {"shown": [sam.pk], "people": [sam.pk]})

    assert newly_assigned == []


def test_a_staff_member_of_another_organisation_cannot_be_assigned(as_ada, sam, otto, maple):
    service = make_service(maple)

    response = as_ada.post(reverse("service-staff", args=[service.pk]), {"shown": [otto.pk], "people": [otto.pk]})

    assert providers_of(service) == set()
    assert "Some of these people are gone." in response.text


@pytest.mark.parametrize(("choice", "names"), [("yes", ["Sam"]), ("no", ["Ada"]), ("", ["Ada", "Sam"])])
def test_the_list_can_be_filtered_by_providers(choice, names, as_ada, sam, maple):
    service = make_service(maple, provided_by=(sam,))

    response = as_ada.get(reverse("service-staff", args=[service.pk]), {"provides": choice})

    assert names_on(response) == names


def test_saving_returns_to_the_same_page_of_the_list(as_ada, sam, maple):
    address = reverse("service-staff", args=[make_service(maple).pk]) + "?q=sam&rows=50"

    response = as_ada.post(address, {"shown": [sam.pk]})

    assert response.url == address


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_of_staff_takes_a_constant_number_of_queries(rows, as_ada, maple, django_assert_num_queries):
    service = make_service(maple, provided_by=tuple(make_staff(maple, rows, location=make_location(maple))))

    # Session, signed-in user, service, count of providers, count, rows, broken connections for the banner.
    with django_assert_num_queries(8):
        as_ada.get(reverse("service-staff", args=[service.pk]))


def test_a_staff_member_provides_the_selected_services(as_ada, sam, maple, newly_assigned):
    advice, loan, account = (make_service(maple, name) for name in ("Advice", "Loan", "Account"))
    for service in (advice, loan):
        ServiceAssignment.objects.bulk_create([ServiceAssignment(service=service, staff=sam)])

    response = as_ada.post(reverse("staff-services", args=[sam.pk]), {"services": [loan.pk, account.pk]}, follow=True)

    assert set(sam.services.values_list("name", flat=True)) == {"Loan", "Account"}
    assert newly_assigned == [("Sam", "Account")]
    assert [str(message) for message in response.context["messages"]] == ["Saved."]


def test_all_services_of_a_staff_member_can_be_removed(as_ada, sam, maple):
    make_service(maple, provided_by=(sam,))

    as_ada.post(reverse("staff-services", args=[sam.pk]), {})

    assert list(sam.services.all()) == []


def test_the_services_that_a_staff_member_provides_are_selected(as_ada, sam, maple):
    make_service(maple, "Advice")
    loan = make_service(maple, "Loan", provided_by=(sam,))

    response = as_ada.get(reverse("staff-services", args=[sam.pk]))

    assert response.context["form"].ticked == {str(loan.pk)}


def test_a_service_of_another_organisation_is_not_offered(as_ada, sam, otto):
    foreign = make_service(otto.organization)

    response = as_ada.post(reverse("staff-services", args=[sam.pk]), {"services": [foreign.pk]})

    assert list(response.context["form"].errors) == ["services"]
    assert list(sam.services.all()) == []


def test_the_services_of_another_organisations_staff_are_not_found(as_ada, otto):
    response = as_ada.get(reverse("staff-services", args=[otto.pk]))

    assert response.status_code == 404


def test_only_admins_assign_services(as_sam, sam):
    response = as_sam.get(reverse("staff-services", args=[sam.pk]))

    assert response.status_code == 403
