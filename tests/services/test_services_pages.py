"""The service list, the pages to add and edit a service, and the tab More."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from services.methods import offers_of
from services.models import MeetingMethod, MeetingMethodOffer, OfferedTo, Service
from tests.factories import make_member, make_service

LIST = "/services/"
ADD = "/services/add/"


def details(**changes: str) -> dict[str, str]:
    """Return the data of a valid form."""
    return {
        "name": "Car loan",
        "category": "Lending",
        "description": "",
        "duration": "45",
        "buffer_before": "0",
        "buffer_after": "10",
        "minimum_notice": "120",
        "booking_horizon_days": "60",
        "start_step": "15",
        "active": "on",
        "public": "on",
        **changes,
    }


def names_on(response: Any) -> list[str]:
    return [service.name for service in response.context["page"]]


def errors_of(response: Any) -> dict[str, list[str]]:
    return dict(response.context["form"].errors)


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_services_are_grouped_by_category_and_those_without_come_last(as_ada, maple, otto):
    make_service(maple, "Advice")
    make_service(maple, "Mortgage", category="Lending")
    make_service(maple, "Account", category="Everyday")
    make_service(maple, "Car loan", category="Lending")
    make_service(otto.organization, "Foreign")

    response = as_ada.get(LIST)

    assert names_on(response) == ["Account", "Car loan", "Mortgage", "Advice"]


def test_each_row_links_to_edit_and_more(as_ada, maple):
    service = make_service(maple)

    response = as_ada.get(LIST)

    assert f'href="{reverse("service-edit", args=[service.pk])}">Edit</a>' in response.text
    assert f'href="{reverse("service-more", args=[service.pk])}">More</a>' in response.text


def test_the_list_counts_active_people(as_ada, maple, sam):
    gone = make_member(maple, "Gus Gone", is_active=False)
    make_service(maple, provided_by=(sam, gone))

    response = as_ada.get(LIST)

    assert [service.people_count for service in response.context["page"]] == [1]


@pytest.mark.parametrize("words", ["mortg", "LENDING", "lending review"])
def test_search_finds_name_and_category(words, as_ada, maple):
    make_service(maple, "Mortgage review", category="Lending")
    make_service(maple, "Advice")

    response = as_ada.get(LIST, {"q": words})

    assert names_on(response) == ["Mortgage review"]


def test_inactive_services_are_marked_and_can_be_filtered(as_ada, maple):
    make_service(maple, "Open")
    make_service(maple, "Closed", active=False)

    response = as_ada.get(LIST, {"active": "inactive"})

    assert names_on(response) == ["Closed"]
    assert "Inactive</span>" in response.text


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_takes_a_constant_number_of_queries(rows, as_ada, maple, sam, django_assert_num_queries):
    for number in range(rows):
        make_service(maple, f"Service {number}", provided_by=(sam,))

    # Session, signed-in user, count, rows, meeting methods, broken connections for the banner.
    with django_assert_num_queries(7):
        as_ada.get(LIST)


PAGES = ["service-edit", "service-more", "service-staff"]


@pytest.mark.parametrize("page", PAGES)
def test_a_service_of_another_organisation_is_not_found(page, as_ada, otto):
    address = reverse(page, args=[make_service(otto.organization).pk])

    assert [as_ada.get(address).status_code, as_ada.post(address, details()).status_code] == [404, 404]


@pytest.mark.parametrize("role", ["as_sam", "as_sky"])
def test_only_admins_manage_services(role, request, maple):
    client = request.getfixturevalue(role)
    service = make_service(maple)
    addresses = [LIST, ADD, *(reverse(page, args=[service.pk]) for page in PAGES)]

    assert [client.get(address).status_code for address in addresses] == [403] * 5


def test_adding_a_service_saves_all_fields_and_opens_the_meeting_methods(as_ada, maple):
    response = as_ada.post(ADD, details(), follow=True)

    service = Service.objects.get(name="Car loan")
    assert response.redirect_chain == [(reverse("service-more", args=[service.pk]), 302)]
    assert messages_of(response) == ["Saved."]
    assert (service.organization, service.category, service.duration) == (maple, "Lending", 45)
    assert (service.buffer_after, service.minimum_notice, service.booking_horizon_days) == (10, 120, 60)


def test_names_are_unique_in_an_organisation_regardless_of_case(as_ada, maple, otto):
    make_service(maple, "Car loan")
    make_service(otto.organization, "Advice")

    taken = as_ada.post(ADD, details(name="CAR LOAN", category="Typed"))
    free = as_ada.post(ADD, details(name="Advice"))

    assert errors_of(taken) == {"name": ["There is already a service of this name."]}
    assert 'value="Typed"' in taken.text
    assert free.status_code == 302


def test_durations_out_of_range_are_refused_with_a_sentence(as_ada):
    response = as_ada.post(ADD, details(duration="3", booking_horizon_days="731"))

    assert errors_of(response) == {
        "duration": ["Ensure this value is greater than or equal to 5."],
        "booking_horizon_days": ["Ensure this value is less than or equal to 730."],
    }


def test_editing_changes_the_service(as_ada, maple):
    service = make_service(maple)

    response = as_ada.post(reverse("service-edit", args=[service.pk]), details(public=""), follow=True)

    service.refresh_from_db()
    assert (service.name, service.public) == ("Car loan", False)
    assert messages_of(response) == ["Saved."]


def test_selecting_video_call_offers_it_to_staff_and_clients_only(as_ada, maple):
    service = make_service(maple, methods=())
    MeetingMethodOffer.objects.create(service=service, method=MeetingMethod.PHONE, offered_to=OfferedTo.STAFF)
    phone = service.meeting_methods.get()

    response = as_ada.post(
        reverse("service-more", args=[service.pk]),
        {"method_2": "on", "offered_to_2": "staff", "method_3": "on", "offered_to_3": "staff_and_clients"},
        follow=True,
    )

    assert offers_of(service) == {
        MeetingMethod.PHONE: OfferedTo.STAFF,
        MeetingMethod.VIDEO: OfferedTo.STAFF_AND_CLIENTS,
    }
    assert service.meeting_methods.filter(pk=phone.pk).exists()
    assert messages_of(response) == ["Saved."]


def test_the_tab_more_shows_the_selected_methods(as_ada, maple):
    service = make_service(maple, methods=(MeetingMethod.VIDEO,))

    response = as_ada.get(reverse("service-more", args=[service.pk]))

    ticked = [row.ticked.label for row in response.context["form"].rows if row.ticked.value()]
    offered = [row.offered_to.value() for row in response.context["form"].rows]
    assert ticked == ["Video Call"]
    assert offered == ["staff_and_clients"] * 4


def test_a_method_can_be_limited_to_staff_and_removed(as_ada, maple):
    service = make_service(maple, methods=(MeetingMethod.PHONE, MeetingMethod.VIDEO))

    as_ada.post(reverse("service-more", args=[service.pk]), {"method_3": "on", "offered_to_3": "staff"})

    assert offers_of(service) == {MeetingMethod.VIDEO: OfferedTo.STAFF}


def test_a_service_without_a_method_is_saved_with_a_note_that_it_cannot_be_booked(as_ada, maple):
    service = make_service(maple)

    response = as_ada.post(reverse("service-more", args=[service.pk]), {}, follow=True)

    assert offers_of(service) == {}
    assert "This service has no meeting method yet, so it cannot be booked." in response.text


def test_an_audience_that_does_not_exist_is_refused(as_ada, maple):
    service = make_service(maple, methods=(MeetingMethod.VIDEO,))

    response = as_ada.post(reverse("service-more", args=[service.pk]), {"method_3": "on", "offered_to_3": "everybody"})

    assert list(errors_of(response)) == ["offered_to_3"]
    assert offers_of(service) == {MeetingMethod.VIDEO: OfferedTo.STAFF_AND_CLIENTS}
