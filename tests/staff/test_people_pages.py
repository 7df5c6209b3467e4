"""The staff list, and the pages to add and edit a staff member."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from staff.models import Role, StaffMember
from tests.factories import make_location, make_member, make_organization, make_staff

LIST = "/staff/"
ADD = "/staff/add/"


def details(**changes: str) -> dict[str, str]:
    """Return the data of a valid form."""
    return {
        "first_name": "Nia",
        "last_name": "Jones",
        "email": "nia@maple.example",
        "username": "nia",
        "role": "staff",
        "location": "",
        "time_zone": "",
        "is_active": "on",
        **changes,
    }


def names_on(response) -> list[str]:
    return [person.name for person in response.context["page"]]


def errors_of(response) -> dict[str, list[str]]:
    return dict(response.context["form"].errors)


def test_an_admin_sees_all_staff_of_the_organisation(as_ada, sam, sky, otto):
    response = as_ada.get(LIST)

    assert names_on(response) == ["Ada Lovell", "Sam Okafor", "Sky Lund"]


def test_each_row_links_to_edit_and_profile(as_ada, sam):
    response = as_ada.get(LIST)

    assert f'href="{reverse("staff-edit", args=[sam.pk])}">Edit</a>' in response.text
    assert f'href="{reverse("staff-profile", args=[sam.pk])}">Profile</a>' in response.text


def test_staff_see_only_themselves_and_cannot_add(as_sam, ada):
    response = as_sam.get(LIST)

    assert names_on(response) == ["Sam Okafor"]
    assert "/staff/add/" not in response.text


@pytest.mark.parametrize("address", [LIST, ADD])
def test_schedulers_have_no_staff_pages(address, as_sky):
    response = as_sky.get(address)

    assert response.status_code == 403


def test_staff_can_neither_add_nor_edit(as_sam, sam):
    answers = [as_sam.get(ADD).status_code, as_sam.get(reverse("staff-edit", args=[sam.pk])).status_code]

    assert answers == [403, 403]


def test_a_staff_member_of_another_organisation_is_not_found(as_ada, otto):
    address = reverse("staff-edit", args=[otto.pk])

    assert [as_ada.get(address).status_code, as_ada.post(address, details()).status_code] == [404, 404]


@pytest.mark.parametrize("words", ["okafor", "SAM", "sam oka", "sam@maple", "sokaf", "Okafor, Sam"])
def test_search_finds_name_email_and_username(words, as_ada, maple):
    make_member(maple, "Sam Okafor", username="sokaf")

    response = as_ada.get(LIST, {"q": words})

    assert names_on(response) == ["Sam Okafor"]


def test_the_list_can_be_filtered_by_location(as_ada, sam, maple):
    sam.location = make_location(maple)
    sam.save()

    response = as_ada.get(LIST, {"location": sam.location.pk})

    assert names_on(response) == ["Sam Okafor"]


def test_a_location_of_another_organisation_is_not_offered(as_ada, otto):
    foreign = make_location(otto.organization, "Harbour")

    response = as_ada.get(LIST, {"location": foreign.pk})

    assert "Harbour" not in response.text
    assert names_on(response) == ["Ada Lovell"]


def test_inactive_staff_are_marked_and_can_be_filtered(as_ada, maple):
    make_member(maple, "Ina Active")
    make_member(maple, "Gus Gone", is_active=False)

    response = as_ada.get(LIST, {"active": "inactive"})

    assert names_on(response) == ["Gus Gone"]
    assert "Inactive</span>" in response.text


def test_the_list_has_the_requested_number_of_rows(as_ada, maple):
    make_staff(maple, 59)

    counts = [len(names_on(as_ada.get(LIST, {"rows": rows}))) for rows in ("7", "x", "25", "50", "100")]

    assert counts == [25, 25, 25, 50, 60]


def test_the_chosen_number_of_rows_is_remembered(as_ada, maple):
    make_staff(maple, 59)
    counts = []
    for asked in ("50", "7", "25"):
        as_ada.get(LIST, {"rows": asked})
        counts.append(len(names_on(as_ada.get(LIST))))

    assert counts == [50, 50, 25]


def test_a_page_beyond_the_end_shows_the_last_page(as_ada, maple):
    make_staff(maple, 29)

    response = as_ada.get(LIST, {"page": "9"})

    assert len(names_on(response)) == 5


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_takes_a_constant_number_of_queries(rows, as_ada, maple, django_assert_num_queries):
    make_staff(maple, rows, location=make_location(maple))

    # Session, signed-in user, locations of the filter, count, rows, broken connections for the banner.
    with django_assert_num_queries(7):
        as_ada.get(LIST)


def test_adding_a_staff_member_saves_all_fields(as_ada, maple):
    branch = make_location(maple)

    response = as_ada.post(ADD, details(location=str(branch.pk), time_zone="Europe/Berlin"), follow=True)

    nia = StaffMember.objects.get(email="nia@maple.example")
    assert (nia.organization, nia.name, nia.username) == (maple, "Nia Jones", "nia")
    assert (nia.role, nia.location, str(nia.time_zone), nia.is_active) == (
        "staff",
        branch,
        "Europe/Berlin",
        True,
    )
    assert not nia.has_usable_password()
    assert [str(message) for message in response.context["messages"]] == ["Saved. Now add the working hours."]
    assert response.redirect_chain == [(reverse("staff-hours", args=[nia.pk]), 302)]


@pytest.mark.parametrize("email", ["otto@cedar.example", "OTTO@cedar.example", "sam@maple.example"])
def test_a_taken_email_gets_the_same_sentence_in_every_organisation(email, as_ada, sam, otto):
    response = as_ada.post(ADD, details(email=email))

    assert errors_of(response) == {"email": ["This email is already taken."]}
    assert 'value="Nia"' in response.text


@pytest.mark.parametrize("pasted", ["nia@maple.example\u200b", "\ufeffnia@maple.example", "\u00a0nia@maple.example "])
def test_a_pasted_username_is_stored_without_invisible_characters(as_ada, pasted):
    as_ada.post(ADD, details(username=pasted))

    assert StaffMember.objects.get(email="nia@maple.example").username == "nia@maple.example"


def test_a_username_that_only_looks_different_is_taken(as_ada, sam):
    response = as_ada.post(ADD, details(username="s\u200bam"))

    assert errors_of(response) == {"username": ["This username is already taken."]}


def test_a_character_without_a_glyph_in_a_username_is_named_with_its_position(as_ada):
    response = as_ada.post(ADD, details(username="ni\ue000a"))

    assert errors_of(response) == {"username": ["Character 3 (U+E000) is not a letter, digit or sign. Delete it."]}
    assert not StaffMember.objects.filter(email="nia@maple.example").exists()


def test_usernames_are_unique_in_an_organisation_regardless_of_case(as_ada, sam, otto):
    taken = as_ada.post(ADD, details(username="SAM"))
    free = as_ada.post(ADD, details(username="otto"))

    assert errors_of(taken) == {"username": ["This username is already taken."]}
    assert free.status_code == 302


def test_name_and_email_are_required(as_ada):
    response = as_ada.post(ADD, details(first_name=" ", email="nia"))

    assert errors_of(response) == {
        "first_name": ["This field is required."],
        "email": ["Enter a valid email address."],
    }


def test_a_location_of_another_organisation_cannot_be_chosen(as_ada, otto):
    foreign = make_location(otto.organization)

    response = as_ada.post(ADD, details(location=str(foreign.pk)))

    assert list(errors_of(response)) == ["location"]


def test_editing_changes_the_staff_member(as_ada, sam):
    as_ada.post(reverse("staff-edit", args=[sam.pk]), details(email="sam.okafor@maple.example"))

    sam.refresh_from_db()
    assert (sam.name, sam.email) == ("Nia Jones", "sam.okafor@maple.example")


def test_a_refused_edit_keeps_the_heading_and_the_input(as_ada, sam):
    response = as_ada.post(reverse("staff-edit", args=[sam.pk]), details(email="nonsense"))

    assert "<h1>Sam Okafor</h1>" in response.text
    assert 'value="nonsense"' in response.text


@pytest.mark.parametrize("change", [{"role": "staff"}, {"is_active": ""}])
def test_the_last_active_admin_cannot_step_down(change, as_ada, ada, maple):
    make_member(maple, "Abe Gone", Role.ADMIN, is_active=False)

    response = as_ada.post(reverse("staff-edit", args=[ada.pk]), details(role="admin") | change)

    ada.refresh_from_db()
    assert (ada.role, ada.is_active) == ("admin", True)
    assert response.context["form"].non_field_errors()[0].startswith("This is the last active admin")


def test_an_admin_can_step_down_if_another_remains(as_ada, ada, maple):
    make_member(maple, "Abe Stays", Role.ADMIN)

    as_ada.post(reverse("staff-edit", args=[ada.pk]), details(role="staff"))

    ada.refresh_from_db()
    assert ada.role == Role.STAFF


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_add_the_same_email_at_once_get_the_usual_sentence():
    ada = make_member(make_organization(), "Ada Lovell", Role.ADMIN)
    otto = make_member(make_organization("Cedar Bank"), "Otto Weber", Role.ADMIN)

    answers = at_once([(ada, ADD, details()), (otto, ADD, details())])

    assert sorted(answer.status_code for answer in answers) == [200, 302]
    refused = next(answer for answer in answers if answer.status_code == 200)
    assert errors_of(refused) == {"email": ["This email is already taken."]}


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_demote_each_other_at_once_leave_one():
    maple = make_organization()
    ada, abe = make_member(maple, "Ada Lovell", Role.ADMIN), make_member(maple, "Abe Lind", Role.ADMIN)

    at_once(
        [
            (ada, reverse("staff-edit", args=[abe.pk]), details(email=abe.email, username="abe")),
            (abe, reverse("staff-edit", args=[ada.pk]), details(email=ada.email, username="ada")),
        ]
    )

    assert StaffMember.objects.filter(role=Role.ADMIN).count() == 1


def at_once(posts: list[tuple[StaffMember, str, dict[str, str]]]) -> list[Any]:
    """Send each request as its user, all at once, after every form was validated."""
    clients = [(Client(), post) for post in posts]
    for client, (member, *_rest) in clients:
        client.force_login(member)
    answers: list[Any] = []
    together = Barrier(len(posts), timeout=10)

    def send(client, address, data):
        with meeting_before_the_write(together):
            answers.append(client.post(address, data))
        connection.close()

    threads = [Thread(target=send, args=(client, address, data)) for client, (_member, address, data) in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return answers


def meeting_before_the_write(together: Barrier):
    """Make this thread's requests wait for the others just before the staff member is saved."""
    met: list[bool] = []

    def wait(execute, sql, params, many, context):
        writes = sql.startswith(('INSERT INTO "staff_staffmember"', 'UPDATE "staff_staffmember" SET "first'))
        locks = "FOR NO KEY UPDATE" in sql
        if not met and (writes or locks):
            met.append(True)
            together.wait()
        return execute(sql, params, many, context)

    return connection.execute_wrapper(wait)


@pytest.mark.parametrize("field", ["first_name", "last_name", "username"])
@pytest.mark.parametrize("between", ["\n", "\r\nBcc: all@maple.example ", "\t", "\x1b", "\u2028"])
def test_a_name_of_several_lines_or_with_control_characters_is_refused(as_ada, field, between):
    response = as_ada.post(ADD, details(**{field: f"Nia{between}Jones"}))

    assert errors_of(response) == {field: ["Write this on one line, without tabs and other control characters."]}


def test_names_of_any_script_are_one_line(as_ada):
    as_ada.post(ADD, details(first_name="Zoë-محمد", last_name="O’Neill 李\u200b"))

    assert StaffMember.objects.get(email="nia@maple.example").last_name == "O’Neill 李"
