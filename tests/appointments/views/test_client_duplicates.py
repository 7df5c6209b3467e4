"""Possible duplicates while a client is added, and the pages that merge two."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment, Client
from tests.appointments.booking_payloads import booking_data
from tests.appointments.conftest import Maple
from tests.factories import make_client, make_organization

ADD = reverse("client-add")


def errors_of(page) -> list[str]:
    return list(page.context["form"].non_field_errors())


@pytest.mark.parametrize(
    "typed",
    [
        {"name": "Someone Else", "email": "CLEO@example.com"},
        {"name": "Someone Else", "phone": "+1 (416) 555-0123"},
        {"name": "Cleo Brandt"},
        {"name": "Brandt, Cléo"},
        {"name": "Kleo Brandt"},
    ],
)
def test_a_client_who_may_exist_is_shown_before_another_is_added(maple: Maple, as_sky: Browser, typed: dict[str, str]):
    maple.cleo.phone = "+14165550123"
    maple.cleo.save()

    page = as_sky.post(ADD, typed)

    assert errors_of(page) == [
        "This client may exist already. Use one of the clients below, or tick “Add another client”."
    ]
    assert page.context["form"].duplicates == [maple.cleo]
    assert f'href="{reverse("client-edit", args=[maple.cleo.pk])}"' in page.content.decode()
    assert Client.objects.count() == 1


def test_another_client_is_added_after_all(maple: Maple, as_sky: Browser):
    as_sky.post(ADD, {"name": "Cleo Brandt", "add_anyway": "on"})

    assert Client.objects.filter(name="Cleo Brandt").count() == 2


@pytest.mark.parametrize("name", ["Abe Lind", "Cleo Andersen", "Brandon Clark"])
def test_a_different_name_is_added_at_once(maple: Maple, as_sky: Browser, name: str):
    as_sky.post(ADD, {"name": name})

    assert Client.objects.filter(name=name).exists()


def test_clients_of_other_organisations_are_no_duplicates(maple: Maple, as_sky: Browser):
    make_client(make_organization("Cedar Bank"), "Abe Lind")

    as_sky.post(ADD, {"name": "Abe Lind"})

    assert Client.objects.filter(name="Abe Lind").count() == 2


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"new_name": "Brandt, Cleo"}, "new_name", "Cleo Brandt has the same name or a similar one."),
        ({"new_name": "X", "new_phone": "+1 416-555-0123"}, "new_phone", "Cleo Brandt has this phone number already."),
    ],
)
@pytest.mark.usefixtures("friday")
def test_the_contact_center_shows_who_may_be_the_new_client(
    maple: Maple, as_sky: Browser, typed: dict[str, str], field: str, sentence: str
):
    maple.cleo.phone = "+14165550123"
    maple.cleo.save()
    sent = booking_data(maple, client="new", **typed)

    page = as_sky.post(reverse("contact-center"), sent)
    as_sky.post(reverse("contact-center"), sent | {"new_anyway": "on"})

    assert page.context["form"].errors == {field: [f"{sentence} Choose them above, or add another client."]}
    assert page.context["form"].client_group.clients == [maple.cleo]
    assert Appointment.objects.get().client != maple.cleo


def test_the_page_to_merge_shows_possible_duplicates_and_finds_others(maple: Maple, as_sky: Browser):
    twin = make_client(maple.organization, "Cléo Brandt", email="")
    abe = make_client(maple.organization, "Abe Lind", email="")
    address = reverse("client-merge", args=[maple.cleo.pk])

    assert as_sky.get(address).context["found"] == [twin]
    assert as_sky.get(address, {"q": "lind"}).context["found"] == [abe]


def test_two_clients_are_compared_and_merged(maple: Maple, as_sky: Browser):
    twin = make_client(maple.organization, "Cléo Brandt", email="cleo@example.org", phone="")
    address = reverse("client-merge", args=[maple.cleo.pk])

    page = as_sky.get(address, {"with": twin.pk})
    done = as_sky.post(address, {"with": twin.pk, "name": "other", "email": "kept", "phone": "kept"}, follow=True)

    assert list(page.context["form"].fields) == ["name", "email", "phone"]
    assert "This can’t be undone." in page.content.decode()
    assert [str(message) for message in done.context["messages"]] == [
        "The clients are merged. 0 appointments moved to this client."
    ]
    kept = Client.objects.get()
    assert (kept.name, kept.email) == ("Cléo Brandt", "cleo@example.com")


def test_a_merge_without_choices_changes_nothing(maple: Maple, as_sky: Browser):
    twin = make_client(maple.organization, "Cléo Brandt")

    page = as_sky.post(reverse("client-merge", args=[maple.cleo.pk]), {"with": twin.pk, "name": "both"})

    assert "name" in page.context["form"].errors
    assert Client.objects.count() == 2


def test_the_page_of_a_merged_client_leads_to_the_kept_one(maple: Maple, as_sky: Browser):
    twin = make_client(maple.organization, "Cléo Brandt")
    as_sky.post(reverse("client-merge", args=[maple.cleo.pk]), {"with": twin.pk, "name": "kept", "phone": "kept"})

    page = as_sky.get(reverse("client-edit", args=[twin.pk]))

    assert page["Location"] == reverse("client-edit", args=[maple.cleo.pk])


def test_another_organisations_client_is_not_merged(maple: Maple, as_sky: Browser):
    foreign = make_client(make_organization("Cedar Bank"), "Other Person")
    own = reverse("client-merge", args=[maple.cleo.pk])

    assert as_sky.get(reverse("client-merge", args=[foreign.pk])).status_code == 404
    assert "form" not in as_sky.get(own, {"with": foreign.pk}).context
    as_sky.post(own, {"with": foreign.pk, "name": "kept"})
    assert Client.objects.count() == 2
