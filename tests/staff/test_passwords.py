"""Invitations and password resets."""

from __future__ import annotations

import re
from smtplib import SMTPException
from unittest.mock import patch

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from staff.models import StaffMember
from tests.factories import PASSWORD, make_member

FORGOTTEN = "/password/forgotten/"
NEW_PASSWORD = "a quiet river at dawn"


@pytest.fixture(autouse=True)
def reset_counters() -> None:
    cache.clear()


def link_in_email() -> str:
    """Return the path of the link in the only email."""
    (sent,) = mail.outbox
    found = re.search(r"http://testserver(/password/set/\S+)", str(sent.body))
    assert found is not None
    return found[1]


def set_password(link: str) -> Client:
    client = Client()
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD})
    return client


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_an_invited_person_sets_a_password_and_signs_in(as_ada, sam):
    response = as_ada.post(reverse("staff-invite", args=[sam.pk]), follow=True)
    client = set_password(link_in_email())

    assert messages_of(response) == ["A link to set a password is on its way to sam@maple.example."]
    assert mail.outbox[0].to == ["sam@maple.example"]
    assert client.login(username="sam@maple.example", password=NEW_PASSWORD)


def test_adding_a_staff_member_sends_the_invitation_unless_unticked(as_ada, maple):
    person = {"first_name": "Nia", "role": "staff", "is_active": "on"}

    as_ada.post("/staff/add/", {**person, "email": "nia@maple.example", "invite": "on"})
    as_ada.post("/staff/add/", {**person, "email": "noa@maple.example"})

    assert [sent.to for sent in mail.outbox] == [["nia@maple.example"]]


def test_if_the_email_server_is_down_the_staff_member_is_added_with_a_warning(as_ada, maple):
    with patch("staff.passwords.send_mail", side_effect=SMTPException):
        response = as_ada.post(
            "/staff/add/",
            {
                "first_name": "Nia",
                "email": "nia@maple.example",
                "role": "staff",
                "is_active": "on",
                "invite": "on",
            },
            follow=True,
        )

    assert StaffMember.objects.filter(email="nia@maple.example").exists()
    assert messages_of(response) == ["Saved.", "The email could not be sent. Try again in a few minutes."]


def test_an_inactive_staff_member_is_not_invited(as_ada, maple):
    gone = make_member(maple, "Gus Gone", is_active=False)

    response = as_ada.post(reverse("staff-invite", args=[gone.pk]), follow=True)

    assert mail.outbox == []
    assert messages_of(response) == ["This person is not active. Tick Active and save first."]


def test_only_admins_of_the_same_organisation_can_invite(as_sam, as_ada, sam, otto):
    answers = [
        as_sam.post(reverse("staff-invite", args=[sam.pk])).status_code,
        as_ada.post(reverse("staff-invite", args=[otto.pk])).status_code,
    ]

    assert answers == [403, 404]


def test_the_sign_in_page_links_to_the_password_reset(db, client):
    response = client.get("/sign-in/")

    assert f'href="{FORGOTTEN}"' in response.text


def test_a_forgotten_password_can_be_replaced(sam, client):
    sam.set_password(PASSWORD)
    sam.save()

    client.post(FORGOTTEN, {"email": "SAM@maple.example"})
    client = set_password(link_in_email())

    assert client.login(username="sam@maple.example", password=NEW_PASSWORD)


def test_the_link_works_once(sam, client):
    client.post(FORGOTTEN, {"email": sam.email})
    link = link_in_email()
    set_password(link)

    response = Client().get(link, follow=True)

    assert "This link has been used already, or is too old." in response.text


@pytest.mark.parametrize("email", ["nobody@maple.example", "gus@maple.example"])
def test_the_response_does_not_reveal_whether_an_account_exists(email, maple, sam, client):
    make_member(maple, "Gus Gone", is_active=False)

    known = client.post(FORGOTTEN, {"email": sam.email}, follow=True)
    unknown = Client().post(FORGOTTEN, {"email": email}, follow=True)

    assert messages_of(known) == messages_of(unknown)
    assert [sent.to for sent in mail.outbox] == [["sam@maple.example"]]


def test_the_link_ignores_the_host_header(sam, client, settings):
    settings.ALLOWED_HOSTS = ["*"]

    client.post(FORGOTTEN, {"email": sam.email}, headers={"host": "evil.example"})

    assert "evil.example" not in mail.outbox[0].body


def test_an_account_gets_five_links_an_hour_and_the_page_does_not_reveal_it(sam, client):
    answers = [client.post(FORGOTTEN, {"email": sam.email}, follow=True) for _ in range(6)]

    assert len(mail.outbox) == 5
    assert messages_of(answers[-1]) == messages_of(answers[0])


def test_links_are_counted_for_each_account(sam, sky, client):
    for person in (sam,) * 6 + (sky,):
        client.post(FORGOTTEN, {"email": person.email})

    assert mail.outbox[-1].to == [sky.email]


@pytest.mark.parametrize("email", ["nobody@maple.example", "sam@maple.example"])
def test_one_ip_address_may_request_thirty_links_an_hour_for_any_accounts(email, sam, client):
    for number in range(30):
        client.post(FORGOTTEN, {"email": f"person{number}@maple.example"})

    stopped = client.post(FORGOTTEN, {"email": email})
    elsewhere = client.post(FORGOTTEN, {"email": email}, REMOTE_ADDR="198.51.100.7")

    assert stopped.context["form"].non_field_errors() == [
        "Too many attempts. Try again in an hour, or ask an admin for a link."
    ]
    assert stopped.context["form"]["email"].value() == email
    assert elsewhere.status_code == 302


def test_without_a_cache_the_link_is_sent(sam, client, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}

    client.post(FORGOTTEN, {"email": sam.email})

    assert [sent.to for sent in mail.outbox] == [[sam.email]]


def test_a_new_password_works_at_once_after_too_many_wrong_ones(sam, client):
    for _ in range(11):
        client.post("/sign-in/", {"username": sam.email, "password": "not the password"})
    client.post(FORGOTTEN, {"email": sam.email})
    set_password(link_in_email())

    answer = client.post("/sign-in/", {"username": sam.email, "password": NEW_PASSWORD})

    assert answer.status_code == 302
