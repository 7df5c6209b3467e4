"""Operators enter their password again before they change a person's email or role in Django admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staff.models import Role, StaffMember
from staff.sessions.models import StaffSession
from tests.cast import signed_in
from tests.factories import PASSWORD, make_operator


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


def test_operators_change_their_own_password_and_stay_signed_in(as_olive):
    new = "a quiet river at dawn"
    typed = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}

    as_olive.post(reverse("admin:password_change"), typed)

    assert as_olive.get("/operator/").status_code == 200
