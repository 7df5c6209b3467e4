"""Erase and export a client, and Settings > Privacy."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.changes.status import cancel_appointment
from appointments.models import Appointment, Client
from tests.appointments.conftest import Maple
from tests.cast import signed_in
from tests.factories import make_appointment, make_client, make_organization

pytestmark = pytest.mark.usefixtures("friday")

SETTINGS = "/settings/privacy/"
LAST_YEAR = datetime(2025, 3, 3, 10, tzinfo=UTC)


def erase_page(client: Client) -> str:
    return reverse("client-erase", args=[client.pk])


def export_page(client: Client) -> str:
    return reverse("client-export", args=[client.pk])


def exists(client: Client) -> bool:
    return Client.objects.filter(pk=client.pk).exists()


def age(client: Client) -> None:
    """Let the client be added in 2020."""
    Client.objects.filter(pk=client.pk).update(created_at=datetime(2020, 1, 1, tzinfo=UTC))


def stored_months(maple: Maple) -> int | None:
    maple.organization.refresh_from_db()
    return maple.organization.retention_months


@pytest.fixture
def over(maple: Maple) -> Appointment:
    """Cleo's appointment of last year."""
    return make_appointment(maple.review, maple.sam, maple.cleo, LAST_YEAR, internal_note="Speaks French")


def test_the_page_says_what_goes_and_what_stays(maple: Maple, as_ada: Browser, over: Appointment):
    page = as_ada.get(erase_page(maple.cleo)).content.decode()

    assert "Erase Cleo Brandt?" in page
    assert "Name, email, phone and time zone" in page
    assert "<strong>1</strong> appointment with its time, service, staff member and status" in page


def test_an_admin_erases_a_client(maple: Maple, as_ada: Browser, over: Appointment):
    response = as_ada.post(erase_page(maple.cleo))

    assert (response.status_code, response["Location"]) == (303, reverse("client-list"))
    assert "The client’s data was erased." in as_ada.get(response["Location"]).content.decode()
    assert not exists(maple.cleo)


def test_a_client_with_an_upcoming_appointment_is_kept_with_a_link_to_it(maple: Maple, as_ada: Browser):
    appointment = maple.book()

    for page in (as_ada.get(erase_page(maple.cleo)), as_ada.post(erase_page(maple.cleo))):
        text = page.content.decode()
        assert "This client has 1 upcoming appointment. Cancel it first." in text
        assert reverse("appointment-cancel", args=[appointment.pk]) in text
        assert "Erase this client" not in text
    assert exists(maple.cleo)


def test_a_client_is_kept_until_the_emails_are_sent(maple: Maple, as_ada: Browser):
    cancel_appointment(maple.book(), actor=maple.sky, through="schedule")

    page = as_ada.post(erase_page(maple.cleo)).content.decode()

    assert "still being sent. Try again in a few minutes." in page
    assert exists(maple.cleo)


def test_an_erased_client_is_nowhere_to_be_found(maple: Maple, as_ada: Browser, over: Appointment):
    as_ada.post(erase_page(maple.cleo))

    assert list(as_ada.get(reverse("client-list")).context["page"]) == []
    for name in ("client-edit", "client-erase", "client-export"):
        assert as_ada.get(reverse(name, args=[maple.cleo.pk])).status_code == 404
    assert as_ada.post(erase_page(maple.cleo)).status_code == 404
    chosen = as_ada.get(reverse("contact-center"), {"client": maple.cleo.pk})
    assert chosen.context["form"].client_group.chosen_client is None


def test_an_edit_that_was_open_during_the_erasure_is_not_saved(maple: Maple, as_ada: Browser):
    as_ada.post(erase_page(maple.cleo))

    response = as_ada.post(reverse("client-edit", args=[maple.cleo.pk]), {"name": "Cleo Brandt"})

    assert response.status_code == 404
    assert not exists(maple.cleo)


def test_the_appointment_of_an_erased_client_says_so_and_offers_no_change(
    maple: Maple, as_ada: Browser, over: Appointment
):
    as_ada.post(erase_page(maple.cleo))

    page = as_ada.get(reverse("appointment", args=[over.pk])).content.decode()

    assert "Erased client" in page
    assert "The client’s data and the notes were erased on" in page
    assert 'name="internal_note"' not in page
    assert "status-buttons" not in page
    assert reverse("client-edit", args=[maple.cleo.pk]) not in page


def test_the_schedule_shows_the_appointment_of_an_erased_client(maple: Maple, as_ada: Browser, over: Appointment):
    as_ada.post(erase_page(maple.cleo))

    page = as_ada.get(reverse("schedule"), {"date": LAST_YEAR.date().isoformat()}).content.decode()

    assert "Erased client" in page


def test_an_export_is_a_download_that_no_cache_keeps(maple: Maple, as_ada: Browser, over: Appointment):
    response = as_ada.get(export_page(maple.cleo))

    assert response["Content-Disposition"] == f'attachment; filename="client-{maple.cleo.pk}.json"'
    assert response["Content-Type"] == "application/json"
    assert "no-store" in response["Cache-Control"]
    assert response.json()["appointments"][0]["internal_note"] == "Speaks French"


def test_only_admins_see_the_buttons(maple: Maple, as_ada: Browser, as_sky: Browser):
    page = reverse("client-edit", args=[maple.cleo.pk])

    def buttons(browser: Browser) -> list[bool]:
        text = browser.get(page).content.decode()
        return [erase_page(maple.cleo) in text, export_page(maple.cleo) in text]

    assert (buttons(as_ada), buttons(as_sky)) == ([True, True], [False, False])


@pytest.mark.parametrize("page", [erase_page, export_page])
def test_schedulers_read_that_the_page_is_for_admins(maple: Maple, as_sky: Browser, page):
    response = as_sky.get(page(maple.cleo))

    assert response.status_code == 403
    assert "Only admins can open this page." in response.content.decode()


def test_a_scheduler_and_an_admin_of_another_organisation_erase_nothing(maple: Maple, otto, as_sky: Browser):
    assert as_sky.post(erase_page(maple.cleo)).status_code == 403
    assert signed_in(otto).post(erase_page(maple.cleo)).status_code == 404
    assert exists(maple.cleo)


def test_a_retention_that_erases_no_client_is_saved_at_once(maple: Maple, as_ada: Browser):
    response = as_ada.post(SETTINGS, {"months": "24"})

    assert (response.status_code, stored_months(maple)) == (303, 24)


def test_a_retention_that_would_erase_clients_is_counted_before_it_is_saved(maple: Maple, as_ada: Browser):
    age(maple.cleo)

    page = as_ada.post(SETTINGS, {"months": "24"}).content.decode()

    assert "1 client would be erased, starting tonight." in page
    assert 'value="24"' in page
    assert stored_months(maple) is None
    assert exists(maple.cleo)


def test_a_confirmed_retention_is_saved(maple: Maple, as_ada: Browser):
    age(maple.cleo)

    as_ada.post(SETTINGS, {"months": "24", "confirmed": "24"})

    assert stored_months(maple) == 24


def test_another_number_than_the_confirmed_one_is_counted_again(maple: Maple, as_ada: Browser):
    age(maple.cleo)

    as_ada.post(SETTINGS, {"months": "6", "confirmed": "24"})

    assert stored_months(maple) is None


def test_the_page_counts_the_clients_that_are_erased_next(maple: Maple, as_ada: Browser):
    age(maple.cleo)
    maple.organization.retention_months = 12
    maple.organization.save()

    page = as_ada.get(SETTINGS).content.decode()

    assert "1 client will be erased tonight." in page


def test_an_empty_field_keeps_clients(maple: Maple, as_ada: Browser):
    maple.organization.retention_months = 12
    maple.organization.save()

    as_ada.post(SETTINGS, {"months": ""})

    assert stored_months(maple) is None


@pytest.mark.parametrize("months", ["0", "601", "-3", "a year", "1.5", "9" * 5000, "\x00"])
def test_a_number_that_makes_no_sense_is_refused_and_kept_on_the_page(maple: Maple, as_ada: Browser, months: str):
    page = as_ada.post(SETTINGS, {"months": months})

    assert page.context["form"].errors["months"]
    assert page.context["form"]["months"].value() == months
    assert stored_months(maple) is None


def test_a_retention_of_another_organisation_stays(maple: Maple, as_ada: Browser):
    cedar = make_organization("Cedar Bank")
    age(make_client(cedar, "Other Person"))

    as_ada.post(SETTINGS, {"months": "24"})

    cedar.refresh_from_db()
    assert (cedar.retention_months, stored_months(maple)) == (None, 24)


def test_the_settings_link_to_the_page(as_ada: Browser):
    assert SETTINGS in as_ada.get(reverse("settings")).content.decode()
