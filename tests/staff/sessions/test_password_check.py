"""Sensitive changes ask for the password again when it was entered more than 15 minutes ago."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.models import Connection
from staff.models import Role, StaffMember
from staff.sessions.models import StaffSession
from tests.cast import signed_in
from tests.factories import PASSWORD, make_connection, make_match, make_member
from tests.integrations.fake_platform import FakePlatform
from tests.staff.test_people_pages import ADD, details

WRONG = ["This is not your password. Check it and try again."]


@pytest.fixture(autouse=True)
def reset_counters() -> None:
    cache.clear()


@pytest.fixture
def ada(maple) -> StaffMember:
    ada = make_member(maple, "Ada Lovell", Role.ADMIN)
    ada.set_password(PASSWORD)
    ada.save()
    return ada


@pytest.fixture
def as_ada(ada) -> Client:
    """Ada's browser, in which she entered her password a quarter of an hour ago."""
    client = signed_in(ada)
    StaffSession.objects.update(password_entered_at=timezone.now() - timedelta(minutes=15))
    return client


@pytest.fixture
def connection(maple, fake_teams: FakePlatform) -> Connection:
    return make_connection(maple)


def disconnect(client: Client, connection: Connection, **typed: str):
    return client.post(reverse("connection-disconnect", args=[connection.pk]), typed)


def is_connected(connection: Connection) -> bool:
    connection.refresh_from_db()
    return connection.is_live


def edit(client: Client, person: StaffMember, **typed: str):
    fields = {"first_name": person.first_name, "email": person.email, "role": person.role, "is_active": "on"}
    return client.post(reverse("staff-edit", args=[person.pk]), {**fields, **typed})


def errors_of(response) -> list[str]:
    errors: list[str] = response.context["password_check"].errors["current_password"]
    return errors


def test_soon_after_the_sign_in_disconnect_asks_for_no_password(ada, connection):
    client = signed_in(ada)

    assert "Your password" not in client.get(reverse("connection-disconnect", args=[connection.pk])).text
    assert disconnect(client, connection).status_code == 302
    assert not is_connected(connection)


def test_later_disconnect_asks_on_the_same_page(as_ada, connection):
    page = as_ada.get(reverse("connection-disconnect", args=[connection.pk]))

    assert "Your password" in page.text


@pytest.mark.parametrize(
    ("typed", "errors"),
    [({"current_password": "not the password"}, WRONG), ({}, ["Enter your password to make this change."])],
)
def test_without_the_password_the_connection_stays(as_ada, connection, typed, errors):
    response = disconnect(as_ada, connection, **typed)

    assert errors_of(response) == errors
    assert is_connected(connection)


def test_with_the_password_the_connection_ends(as_ada, connection):
    disconnect(as_ada, connection, current_password=PASSWORD)

    assert not is_connected(connection)


def test_the_password_is_not_asked_for_again_at_once(as_ada, connection, maple):
    other = make_connection(maple, "other", is_default=False)
    disconnect(as_ada, connection, current_password=PASSWORD)

    disconnect(as_ada, other)

    assert not is_connected(other)


def test_guesses_are_limited_as_at_the_sign_in(as_ada, connection):
    for _ in range(10):
        disconnect(as_ada, connection, current_password="not the password")

    response = disconnect(as_ada, connection, current_password=PASSWORD)

    assert errors_of(response) == ["Too many attempts. Try again in 15 minutes or reset your password."]
    assert is_connected(connection)


@pytest.mark.parametrize("change", [{"email": "samuel@maple.example"}, {"role": "scheduler"}])
def test_another_email_or_role_needs_the_password_and_keeps_the_input(as_ada, sam, change):
    response = edit(as_ada, sam, **change, username="samuel")

    assert errors_of(response) == ["Enter your password to make this change."]
    assert response.context["form"]["username"].value() == "samuel"
    sam.refresh_from_db()
    assert (sam.email, sam.role, sam.username) == ("sam@maple.example", "staff", "sam")


def test_the_password_is_never_sent_back(as_ada, sam):
    response = edit(as_ada, sam, role="scheduler", current_password="not the password")

    assert errors_of(response) == WRONG
    assert "not the password" not in response.text


def test_with_the_password_the_role_changes(as_ada, sam):
    edit(as_ada, sam, role="scheduler", current_password=PASSWORD)

    sam.refresh_from_db()
    assert sam.role == Role.SCHEDULER


def test_other_fields_of_a_person_need_no_password(as_ada, sam):
    edit(as_ada, sam, first_name="Samuel")

    sam.refresh_from_db()
    assert sam.first_name == "Samuel"


def add(client: Client, **typed: str):
    return client.post(ADD, details(**typed))


def test_a_new_admin_needs_the_password_and_keeps_the_input(as_ada):
    response = add(as_ada, role="admin")

    assert errors_of(response) == ["Enter your password to make this change."]
    assert response.context["form"]["username"].value() == "nia"
    assert "Your password" in response.text
    assert not StaffMember.objects.filter(username="nia").exists()


def test_with_the_password_an_admin_is_added(as_ada):
    add(as_ada, role="admin", current_password=PASSWORD)

    assert StaffMember.objects.get(username="nia").role == Role.ADMIN


def test_a_new_person_without_the_role_admin_needs_no_password(as_ada):
    add(as_ada, role="scheduler")

    assert StaffMember.objects.get(username="nia").role == Role.SCHEDULER


@pytest.fixture
def alias(connection, ada):
    """Ada's sign-in email is an alias at the platform."""
    values = {"directory": "unmatched", "reason": "alias", "remote_id": "", "hint": "ada.l@maple.example"}
    return make_match(connection, ada, **values)


def adopt(client: Client, alias, **typed: str):
    address = reverse("connection-takeover", args=[alias.connection_id, alias.staff_id])
    return client.post(address, {"new": "ada.l@maple.example", **typed})


def test_adopting_a_sign_in_address_needs_the_password(as_ada, ada, alias):
    response = adopt(as_ada, alias)

    assert errors_of(response) == ["Enter your password to make this change."]
    ada.refresh_from_db()
    assert ada.email == "ada@maple.example"


def test_adopting_ones_own_sign_in_address_keeps_this_session(as_ada, ada, alias):
    adopt(as_ada, alias, current_password=PASSWORD)

    ada.refresh_from_db()
    assert ada.email == "ada.l@maple.example"
    assert as_ada.get("/schedule/").status_code == 200


def test_adopting_a_username_needs_no_password(as_ada, sam, connection):
    Connection.objects.update(match_field="username")
    values = {"directory": "unmatched", "reason": "alias", "remote_id": "", "queried_name": "sam", "hint": "sam.o"}
    match = make_match(connection, sam, **values)

    as_ada.post(reverse("connection-takeover", args=[connection.pk, match.staff_id]), {"new": "sam.o"})

    sam.refresh_from_db()
    assert sam.username == "sam.o"
