"""The sign-in page."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client as Browser
from django.urls import reverse

from staff.models import Role, StaffMember
from tests.factories import PASSWORD, make_member, make_operator, make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> StaffMember:
    ada = make_member(make_organization(), "Ada Lovell", Role.ADMIN)
    ada.set_password(PASSWORD)
    ada.save()
    return ada


def sign_in(client: Browser, **typed: str):
    return client.post(reverse("login"), {"username": "ada@maple.example", "password": PASSWORD, **typed})


def sentence_of(answer) -> list[str]:
    return list(answer.context["form"].non_field_errors())


def test_the_right_credentials_open_the_schedule(client: Browser, ada: StaffMember) -> None:
    answer = sign_in(client)

    assert answer["Location"] == reverse("home")
    assert client.get(answer["Location"])["Location"] == reverse("schedule")


def test_the_email_is_compared_without_case(client: Browser, ada: StaffMember) -> None:
    sign_in(client, username="ADA@Maple.example")

    assert client.session["_auth_user_id"] == str(ada.pk)


@pytest.mark.parametrize("wrong", [{"password": "not the password"}, {"username": "nobody@maple.example"}])
def test_wrong_credentials_show_one_sentence_and_keep_the_email(
    client: Browser, ada: StaffMember, wrong: dict[str, str]
) -> None:
    answer = sign_in(client, **wrong)

    assert sentence_of(answer) == ["This email and password do not belong together. Check both and try again."]
    assert answer.context["form"]["username"].value() == wrong.get("username", "ada@maple.example")


def test_the_password_is_not_sent_back(client: Browser, ada: StaffMember) -> None:
    answer = sign_in(client, password="not the password")

    assert "not the password" not in answer.content.decode()


def test_an_inactive_account_gets_its_own_sentence(client: Browser, ada: StaffMember) -> None:
    StaffMember.objects.update(is_active=False)

    answer = sign_in(client)

    assert sentence_of(answer) == ["This account is switched off. Ask an admin of your organisation."]


def test_a_wrong_password_does_not_reveal_that_an_account_is_inactive(client: Browser, ada: StaffMember) -> None:
    StaffMember.objects.update(is_active=False)

    answer = sign_in(client, password="not the password")

    assert sentence_of(answer) == ["This email and password do not belong together. Check both and try again."]


def test_deactivating_an_account_ends_its_session(client: Browser, ada: StaffMember) -> None:
    client.force_login(ada)
    StaffMember.objects.update(is_active=False)

    answer = client.get(reverse("home"))

    assert answer["Location"].startswith(reverse("login"))


def test_after_signing_in_the_requested_page_opens(client: Browser, ada: StaffMember) -> None:
    answer = sign_in(client, next="/settings/")

    assert answer["Location"] == "/settings/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_signing_in_never_redirects_to_another_site(client: Browser, ada: StaffMember, elsewhere: str) -> None:
    answer = sign_in(client, next=elsewhere)

    assert answer["Location"] == reverse("home")


def test_a_visitor_signs_in_and_returns_to_the_page(client: Browser) -> None:
    answer = client.get("/staff/")

    assert answer["Location"] == f"{reverse('login')}?next=/staff/"


def test_an_operator_is_redirected_to_django_admin(client: Browser) -> None:
    client.force_login(make_operator())

    answer = client.get(reverse("home"))

    assert answer["Location"] == reverse("admin:index")


def test_signing_out_is_never_a_link(client: Browser, ada: StaffMember) -> None:
    client.force_login(ada)

    assert client.get(reverse("logout")).status_code == 405
    assert client.post(reverse("logout"))["Location"] == reverse("login")


@pytest.mark.parametrize("state", ["active", "switched off", "unknown"])
def test_a_wrong_password_is_checked_once_for_every_account(client, ada, monkeypatch, state):
    StaffMember.objects.update(is_active=state != "switched off")
    checked = []
    encode = MD5PasswordHasher.encode

    def count(hasher: MD5PasswordHasher, *args: str) -> str:
        checked.append(args)
        return encode(hasher, *args)

    monkeypatch.setattr(MD5PasswordHasher, "encode", count)
    sign_in(client, password="not the password", **({"username": "no@one.example"} if state == "unknown" else {}))

    assert len(checked) == 1
