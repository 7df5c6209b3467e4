"""Clients: list, search, add, edit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.booking_rules.errors import ChangedMeanwhile
from appointments.models import Client
from staff.models import StaffMember
from tests.appointments.conftest import Maple, monday
from tests.cast import signed_in
from tests.factories import make_appointment, make_client, make_organization


def listed(page) -> list[str]:
    return [client.name for client in page.context["page"]]


def test_all_clients_of_the_organisation_are_listed_by_name(maple: Maple, as_sky: Browser):
    make_client(maple.organization, "Abe Lind")
    make_client(make_organization("Cedar Bank"), "Other Person")

    assert listed(as_sky.get(reverse("client-list"))) == ["Abe Lind", "Cleo Brandt"]


@pytest.mark.parametrize(
    "words",
    [
        "brandt cle",
        "CLEO@example",
        "555 0100",
        "15550100",
        "(555) 01-00",
        "+1.555.0100",
        "brandt 0100",
        "Brandt, Cleo",
        "brandt,cleo;",
    ],
)
def test_the_search_covers_name_email_and_phone(maple: Maple, as_sky: Browser, words: str):
    make_client(maple.organization, "Abe Lind", email="abe@example.com")

    assert listed(as_sky.get(reverse("client-list"), {"q": words})) == ["Cleo Brandt"]


@pytest.mark.parametrize(
    ("name", "searches"),
    [
        ("José Núñez", ["nunez", "JOSE", "Núñez, José", "jose nun", "Nun\u0303ez"]),
        ("Jürgen Groß", ["jurgen", "gross", "groß", "GROSS, Jürgen"]),
        ("Søren Łuczak", ["soren", "luczak", "Luczak, Soren", "łuczak søren"]),
    ],
)
def test_the_search_needs_no_accents(maple: Maple, as_sky: Browser, name: str, searches: list[str]):
    make_client(maple.organization, name, email="someone@example.com")

    assert [listed(as_sky.get(reverse("client-list"), {"q": words})) for words in searches] == [[name]] * len(searches)


@pytest.mark.parametrize(
    "words",
    [
        "416 555",
        "(416) 555-0123",
        "+1 416 555 0123",
        "14165550123",
        "416-555-0123 ext. 7",
        "555–0123",
        "Lind 416-555",
        "x7",
    ],
)
def test_the_search_finds_part_of_a_phone_in_any_form(maple: Maple, as_sky: Browser, words: str):
    maple.organization.time_zone = "America/Toronto"
    maple.organization.save()
    make_client(maple.organization, "Abe Lind", email="abe@example.com", phone="+1 416 555 0123 x7")

    assert listed(as_sky.get(reverse("client-list"), {"q": words})) == ["Abe Lind"]


@pytest.mark.parametrize("words", ["020 7946", "020 7946 0000", "+44 20", "0044 20 7946", "2079460000", "(0)20 7946"])
def test_the_search_knows_the_zero_before_an_area_code(maple: Maple, as_sky: Browser, words: str):
    maple.organization.time_zone = "Europe/London"
    maple.organization.save()
    make_client(maple.organization, "Abe Lind", email="abe@example.com", phone="+44 20 7946 0000")

    assert listed(as_sky.get(reverse("client-list"), {"q": words})) == ["Abe Lind"]


@pytest.mark.parametrize("words", ["%", "_", "\\", "%brandt"])
def test_wildcards_are_searched_for_literally(maple: Maple, as_sky: Browser, words: str):
    assert listed(as_sky.get(reverse("client-list"), {"q": words})) == []


def test_staff_read_that_clients_are_for_schedulers(maple: Maple):
    page = signed_in(maple.sam).get(reverse("client-list"))

    assert page.status_code == 403
    assert "Only schedulers and admins can open this page." in page.content.decode()


def test_a_client_is_added(maple: Maple, as_sky: Browser):
    response = as_sky.post(reverse("client-add"), {"name": "Abe Lind", "email": "abe@example.com"})

    added = Client.objects.get(name="Abe Lind")
    assert added.organization == maple.organization
    assert (response.status_code, response["Location"]) == (303, reverse("client-edit", args=[added.pk]))


def test_a_number_of_the_organisations_country_is_read_and_shown_as_there(maple: Maple, as_sky: Browser):
    maple.organization.time_zone = "America/Toronto"
    maple.organization.save()

    as_sky.post(reverse("client-add"), {"name": "Abe Lind", "phone": "416.555.0123 ext 7"})

    assert Client.objects.get(name="Abe Lind").phone == "+14165550123 x7"
    assert "(416) 555-0123 ext. 7" in as_sky.get(reverse("client-list")).content.decode()


@pytest.mark.parametrize("blank", ["\u200b", "\u2800", "\u3164"])
def test_a_name_that_no_one_sees_is_refused(maple: Maple, as_sky: Browser, blank: str):
    page = as_sky.post(reverse("client-add"), {"name": blank})

    assert page.context["form"].errors == {"name": ["Enter the client's name."]}


def test_a_name_that_turns_text_round_is_cleaned(maple: Maple, as_sky: Browser):
    as_sky.post(reverse("client-add"), {"name": "Pat \u202egnp.exe"})

    assert Client.objects.exclude(pk=maple.cleo.pk).get().name == "Pat gnp.exe"


def test_a_client_without_a_name_is_refused_and_the_input_is_kept(maple: Maple, as_sky: Browser):
    page = as_sky.post(reverse("client-add"), {"name": "", "email": "abe@example.com"})

    assert page.context["form"].errors == {"name": ["Enter the client's name."]}
    assert 'value="abe@example.com"' in page.content.decode()


def test_a_client_is_edited(maple: Maple, as_sky: Browser):
    as_sky.post(reverse("client-edit", args=[maple.cleo.pk]), {"name": "Cleo Moor", "phone": "+1 555 0101"})

    maple.cleo.refresh_from_db()
    assert (maple.cleo.name, maple.cleo.phone) == ("Cleo Moor", "+1 555 0101")


def test_a_pasted_phone_number_is_cleaned(maple: Maple, as_sky: Browser):
    as_sky.post(
        reverse("client-edit", args=[maple.cleo.pk]), {"name": "Cleo", "phone": "(+1 416)\u00a0555\u20110100 ext 12"}
    )

    maple.cleo.refresh_from_db()
    assert maple.cleo.phone == "+14165550100 x12"


@pytest.mark.parametrize("phone", ["((((", "-", "+", "1"])
def test_text_that_is_no_phone_number_is_refused_as_on_the_public_page(maple: Maple, as_sky: Browser, phone: str):
    page = as_sky.post(reverse("client-edit", args=[maple.cleo.pk]), {"name": "Cleo Moor", "phone": phone})

    maple.cleo.refresh_from_db()
    assert page.context["form"].errors == {"phone": ["Enter a phone number, such as +1 506 234 5678."]}
    assert f'value="{phone}"' in page.content.decode()
    assert (maple.cleo.name, maple.cleo.phone) == ("Cleo Brandt", "+1 555 0100")


def test_a_new_email_says_which_links_changed(maple: Maple, as_sky: Browser, friday: None):
    maple.book()
    edit = reverse("client-edit", args=[maple.cleo.pk])

    page = as_sky.post(edit, {"name": "Cleo Brandt", "email": "cleo@example.org"}, follow=True)
    same = as_sky.post(edit, {"name": "Cleo Moor", "email": "cleo@example.org"}, follow=True)

    assert [str(message) for message in page.context["messages"]] == [
        "Saved. 1 upcoming appointment has new links, which go to cleo@example.org. The earlier links no longer work."
    ]
    assert [str(message) for message in same.context["messages"]] == ["Saved."]


def test_an_edit_that_lost_a_race_keeps_the_input(maple: Maple, as_sky: Browser, monkeypatch: pytest.MonkeyPatch):
    def lose(client: Client, *, actor: StaffMember) -> int:
        raise ChangedMeanwhile("An appointment of this client was changed meanwhile. Save again.")

    monkeypatch.setattr("appointments.views.clients.save_client", lose)

    page = as_sky.post(reverse("client-edit", args=[maple.cleo.pk]), {"name": "Cleo", "email": "cleo@example.org"})

    assert page.context["form"].non_field_errors() == [
        "An appointment of this client was changed meanwhile. Save again."
    ]
    assert 'value="cleo@example.org"' in page.content.decode()


def test_another_organisations_client_is_not_found(maple: Maple, as_sky: Browser):
    foreign = make_client(make_organization("Cedar Bank"), "Other Person")

    assert as_sky.get(reverse("client-edit", args=[foreign.pk])).status_code == 404
    assert as_sky.post(reverse("client-edit", args=[foreign.pk]), {"name": "Mine"}).status_code == 404


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_list_takes_the_same_queries_for_any_number(
    maple: Maple, as_sky: Browser, how_many: int, django_assert_num_queries
):
    for number in range(how_many - 1):
        make_client(maple.organization, f"Client {number}")

    with django_assert_num_queries(5):  # session, member, row of the session, count, clients
        as_sky.get(reverse("client-list"))


@pytest.mark.parametrize("how_many", [1, 3])
def test_a_clients_appointments_take_the_same_queries_for_any_number(
    maple: Maple, as_sky: Browser, how_many: int, django_assert_num_queries
):
    for number in range(how_many):
        make_appointment(maple.review, maple.sam, maple.cleo, monday(10 + number))

    # Session, member, row of the session, client, bounce, others of the email, count, appointments.
    with django_assert_num_queries(8):
        as_sky.get(reverse("client-edit", args=[maple.cleo.pk]))


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "Abe\nLind", "Write this on one line, without tabs and other control characters."),
        ("phone", "+1 555\n0100", "Enter a phone number, such as +1 506 234 5678."),
    ],
)
def test_a_clients_details_must_be_a_single_line(maple: Maple, as_sky: Browser, field: str, typed: str, sentence: str):
    page = as_sky.post(reverse("client-add"), {"name": "Abe Lind", field: typed})

    assert page.context["form"].errors == {field: [sentence]}


def test_upcoming_appointments_come_first_then_past_ones(maple: Maple, as_sky: Browser, friday: None):
    starts = [monday(9) - timedelta(days=14), monday(9) - timedelta(days=7), monday(9), monday(11)]
    past_old, past_new, next_one, later = [
        make_appointment(maple.review, maple.sam, maple.cleo, start).pk for start in starts
    ]

    page = as_sky.get(reverse("client-edit", args=[maple.cleo.pk]))

    assert [row.pk for row in page.context["page"]] == [next_one, later, past_new, past_old]
    content = page.content.decode()
    assert content.index("Upcoming</h3>") < content.index("Past</h3>")
    assert f'href="/contact-center/?client={maple.cleo.pk}"' in content


def test_an_email_of_another_client_is_saved_and_pointed_out(maple: Maple, as_sky: Browser):
    page = as_sky.post(
        reverse("client-add"), {"name": "Carl Brandt", "email": "CLEO@example.com", "add_anyway": "on"}, follow=True
    )

    assert Client.objects.filter(name="Carl Brandt").exists()
    assert list(page.context["others"]) == [maple.cleo]
    assert "Also with this email:" in page.content.decode()


def test_a_long_name_with_html_and_emoji_is_saved_found_and_escaped(maple: Maple, as_sky: Browser):
    name = ("<i>Zoë</i> 👩🏽‍🚀 " + "x" * 300)[:300]

    as_sky.post(reverse("client-add"), {"name": name, "email": "zoe@example.com"})
    page = as_sky.get(reverse("client-list"), {"q": "👩🏽‍🚀"})

    assert listed(page) == [name]
    assert "&lt;i&gt;Zoë&lt;/i&gt;" in page.content.decode()
    assert "<i>Zoë" not in page.content.decode()


def test_the_book_button_opens_the_contact_center_with_the_client_chosen(maple: Maple, as_sky: Browser):
    page = as_sky.get(f"/contact-center/?client={maple.cleo.pk}")

    assert page.context["form"].client_group.chosen_client == maple.cleo
