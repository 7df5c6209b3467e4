"""Which passwords a person may set, and that they are compared exactly."""

from __future__ import annotations

import pytest
from django.contrib.auth.forms import SetPasswordForm
from django.test import Client as Browser
from django.urls import reverse

from staff.models import StaffMember
from tests.factories import make_member, make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam() -> StaffMember:
    return make_member(make_organization(), "Sam Reed")


def set_password(member: StaffMember, password: str) -> SetPasswordForm[StaffMember]:
    """Set the password if the rules allow it, as the pages do."""
    form = SetPasswordForm(member, {"new_password1": password, "new_password2": password})
    if form.is_valid():
        form.save()
    return form


@pytest.mark.parametrize(
    "password",
    ["violet-pond", "735029184630", "qwertyqwerty", "sam@maple.example"],
    ids=["eleven characters", "digits only", "a common one", "the own email"],
)
def test_a_weak_password_cannot_be_set(sam: StaffMember, password: str) -> None:
    assert not set_password(sam, password).is_valid()


@pytest.mark.parametrize(
    "password",
    ["violet-ponds", " only lower case ", "пароль из слов 🥥", "violet ponds and more " * 6],
    ids=["twelve characters", "spaces around it", "other scripts and emoji", "132 characters"],
)
def test_a_password_of_any_characters_opens_the_account_and_its_beginning_does_not(
    sam: StaffMember, password: str
) -> None:
    assert set_password(sam, password).is_valid()

    assert sign_in(sam, password[:-1]).status_code == 200
    assert sign_in(sam, password).status_code == 302


def sign_in(member: StaffMember, password: str):
    return Browser().post(reverse("login"), {"username": member.email, "password": password})
