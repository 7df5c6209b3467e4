"""Operators enter their password again before sensitive changes in Django admin, and change their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staff.audit_log.kinds import PASSWORD_CHANGED, SIGN_IN_FAILED
from staff.models import Organization, Role, StaffMember
from staff.sessions.models import StaffSession
from tests.audit_log import event_of, events_of
from tests.cast import signed_in
from tests.factories import PASSWORD, make_operator
from tests.outbox import send_all
from tests.staff.test_admin import first_admin

NEW_PASSWORD = "a quiet river at dawn"


@pytest.fixture
def as_olive(db) -> Client:
    """An operator's browser, in which she entered her password a quarter of an hour ago."""
    cache.clear()
    client = signed_in(make_operator())
    StaffSession.objects.update(password_entered_at=timezone.now() - timedelta(minutes=15))
    return client


def edit(client: Client, person: StaffMember, **typed: str) -> Any:
    fields = {"email": person.email, "role": person.role, "first_name": "Sam", "username": "sam", "is_active": "on"}
    return client.post(reverse("admin:staff_staffmember_change", args=[person.pk]), {**fields, **typed})


@pytest.mark.parametrize(
    ("password", "error"),
    [
        ("", "Enter your password to make this change."),
        ("not the password", "This is not your password. Check it and try again."),
    ],
)
def test_another_role_needs_the_operators_password(as_olive, sam, password, error):
    response = edit(as_olive, sam, role="admin", current_password=password)

    assert response.context["adminform"].form.errors["current_password"] == [error]
    assert response.context["adminform"].form["role"].value() == "admin"
    sam.refresh_from_db()
    assert sam.role == Role.STAFF


def test_with_the_password_the_role_changes(as_olive, sam):
    edit(as_olive, sam, role="admin", current_password=PASSWORD)

    sam.refresh_from_db()
    assert sam.role == Role.ADMIN


def test_switching_an_account_off_needs_no_password(as_olive, sam):
    edit(as_olive, sam, is_active="")

    sam.refresh_from_db()
    assert not sam.is_active


def test_soon_after_the_sign_in_the_page_asks_for_no_password(as_olive, sam):
    page = reverse("admin:staff_staffmember_change", args=[sam.pk])
    asked = "Your own password" in as_olive.get(page).text
    StaffSession.objects.update(password_entered_at=timezone.now())

    assert (asked, "Your own password" in as_olive.get(page).text) == (True, False)


def add_admin(client: Client, organization: Organization, **typed: str) -> Any:
    return client.post(reverse("admin:staff_staffmember_add"), {**first_admin(organization), **typed})


def test_a_new_admin_needs_the_operators_password(as_olive, maple):
    response = add_admin(as_olive, maple)

    form = response.context["adminform"].form
    assert form.errors["current_password"] == ["Enter your password to make this change."]
    assert form["email"].value() == "ada@maple.example"
    assert "Your own password" in response.text
    assert not StaffMember.objects.filter(organization=maple).exists()


def test_with_the_password_the_admin_is_added(as_olive, maple):
    add_admin(as_olive, maple, current_password=PASSWORD)

    assert StaffMember.objects.get(organization=maple).role == Role.ADMIN


def test_a_new_person_without_the_role_admin_needs_no_password(as_olive, maple):
    add_admin(as_olive, maple, role="staff")

    assert StaffMember.objects.get(organization=maple).role == Role.STAFF


def set_password(client: Client, person: StaffMember, **typed: str) -> Any:
    fields = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    return client.post(reverse("admin:auth_user_password_change", args=[person.pk]), {**fields, **typed})


def test_another_password_of_a_person_needs_the_operators_password(as_olive, sam):
    response = set_password(as_olive, sam)

    assert response.context["form"].errors == {"current_password": ["Enter your password to make this change."]}
    assert 'name="current_password"' in response.text
    sam.refresh_from_db()
    assert not sam.check_password(NEW_PASSWORD)


def test_with_the_operators_password_a_person_gets_another_one(as_olive, sam):
    set_password(as_olive, sam, current_password=PASSWORD)

    sam.refresh_from_db()
    assert sam.check_password(NEW_PASSWORD)


def test_soon_after_the_sign_in_another_password_of_a_person_needs_no_confirmation(as_olive, sam):
    StaffSession.objects.update(password_entered_at=timezone.now())

    page = as_olive.get(reverse("admin:auth_user_password_change", args=[sam.pk]))
    set_password(as_olive, sam)

    sam.refresh_from_db()
    assert ("current_password" in page.text, sam.check_password(NEW_PASSWORD)) == (False, True)


def change_password(client: Client, old: str = PASSWORD) -> Any:
    typed = {"old_password": old, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    return client.post(reverse("admin:password_change"), typed)


def test_operators_change_their_own_password_and_stay_signed_in(as_olive):
    change_password(as_olive)

    assert as_olive.get("/operator/").status_code == 200


def test_an_operators_other_password_is_recorded_and_announced(as_olive):
    response = change_password(as_olive)

    send_all()
    olive = StaffMember.objects.get()
    assert response["Location"] == reverse("admin:password_change_done")
    assert (event_of(PASSWORD_CHANGED).actor, event_of(PASSWORD_CHANGED).subject_id) == (olive, olive.pk)
    assert [(email.to, email.subject) for email in mail.outbox] == [([olive.email], "Your password has changed")]


def test_an_operators_other_password_ends_the_other_sessions(as_olive):
    elsewhere = signed_in(StaffMember.objects.get())

    change_password(as_olive)

    assert elsewhere.get("/operator/").status_code == 302


def test_guesses_at_an_operators_password_are_limited_and_recorded(as_olive):
    for _ in range(10):
        change_password(as_olive, old="not the password")

    response = change_password(as_olive)

    sentence = "Too many attempts. Try again in 15 minutes or reset your password."
    assert response.context["form"].errors["old_password"] == [sentence]
    assert len(events_of(SIGN_IN_FAILED)) == 10


def test_the_password_page_of_operators_is_part_of_django_admin(as_olive):
    page = as_olive.get(reverse("admin:password_change")).text

    assert "Coconut for operators" in page
    assert 'name="old_password"' in page


def test_the_staff_of_an_organisation_cannot_open_the_password_page_of_operators(as_sam):
    assert as_sam.get(reverse("admin:password_change"))["Location"].startswith(reverse("admin:login"))
