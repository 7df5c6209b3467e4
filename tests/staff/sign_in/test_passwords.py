"""Invitations and password resets."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from staff.models import OutboxEmail, StaffMember
from tests.factories import PASSWORD, make_member
from tests.outbox import email_server_down, retry_all, send_all

FORGOTTEN = "/password/forgotten/"
NEW_PASSWORD = "a quiet river at dawn"
TOO_OLD = "It has been used already, or is too old."
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def reset_counters() -> None:
    cache.clear()


def link_in_email() -> str:
    """Send the waiting emails. Return the path of the link in the only one."""
    send_all()
    (sent,) = mail.outbox
    found = re.search(r"http://testserver(/password/\S+)", str(sent.body))
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

    assert messages_of(response) == [
        "A link to set a password is on its way to sam@maple.example. It works for 3 days."
    ]
    assert mail.outbox[0].to == ["sam@maple.example"]
    assert client.login(username="sam@maple.example", password=NEW_PASSWORD)


def test_adding_a_staff_member_sends_the_invitation_unless_unticked(as_ada, maple):
    person = {"first_name": "Nia", "role": "staff", "is_active": "on"}

    as_ada.post("/staff/add/", {**person, "email": "nia@maple.example", "invite": "on"})
    as_ada.post("/staff/add/", {**person, "email": "noa@maple.example"})
    send_all()

    assert [sent.to for sent in mail.outbox] == [["nia@maple.example"]]


def test_an_invitation_waits_while_the_email_server_is_down(as_ada, sam):
    with email_server_down():
        as_ada.post(reverse("staff-invite", args=[sam.pk]))
        send_all()

    retry_all()

    assert [sent.to for sent in mail.outbox] == [["sam@maple.example"]]


def test_an_invitation_is_not_sent_to_a_person_who_was_switched_off_meanwhile(as_ada, sam):
    as_ada.post(reverse("staff-invite", args=[sam.pk]))
    StaffMember.objects.filter(pk=sam.pk).update(is_active=False)

    send_all()

    assert (mail.outbox, OutboxEmail.objects.count()) == ([], 0)


def test_an_invitation_goes_to_the_email_that_the_person_has_now(as_ada, sam):
    as_ada.post(reverse("staff-invite", args=[sam.pk]))
    StaffMember.objects.filter(pk=sam.pk).update(email="sam.okafor@maple.example")

    send_all()

    assert [sent.to for sent in mail.outbox] == [["sam.okafor@maple.example"]]


def test_an_inactive_staff_member_is_not_invited(as_ada, maple):
    gone = make_member(maple, "Gus Gone", is_active=False)

    response = as_ada.post(reverse("staff-invite", args=[gone.pk]), follow=True)

    assert not OutboxEmail.objects.exists()
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

    assert TOO_OLD in response.text


@pytest.mark.parametrize(("minutes", "works"), [(60, True), (61, False)])
def test_a_link_for_a_forgotten_password_works_for_an_hour(minutes, works, sam, client):
    with time_machine.travel(NOON, tick=False) as clock:
        client.post(FORGOTTEN, {"email": sam.email})
        link = link_in_email()
        clock.shift(timedelta(minutes=minutes))

        response = Client().get(link, follow=True)

    assert (TOO_OLD not in response.text) is works
    assert "The link works once and for 1 hour." in mail.outbox[0].body


@pytest.mark.parametrize(("hours", "works"), [(72, True), (73, False)])
def test_an_invitation_works_for_three_days(hours, works, as_ada, sam):
    with time_machine.travel(NOON, tick=False) as clock:
        as_ada.post(reverse("staff-invite", args=[sam.pk]))
        link = link_in_email()
        clock.shift(timedelta(hours=hours))

        response = Client().get(link, follow=True)

    assert (TOO_OLD not in response.text) is works
    assert "The link works once and for 3 days." in mail.outbox[0].body


def test_a_link_for_a_forgotten_password_does_not_live_longer_as_an_invitation(sam, client):
    client.post(FORGOTTEN, {"email": sam.email})
    link = link_in_email().replace("/set/", "/invitation/")

    response = Client().get(link, follow=True)

    assert TOO_OLD in response.text


def test_the_page_of_an_old_link_says_how_long_links_work(sam, client):
    pages = [client.get(reverse(name, args=["MQ", "old"])).text for name in ("password-set", "password-invitation")]

    assert ["This link works once and for 1 hour." in pages[0], "This link works once and for 3 days." in pages[1]] == [
        True,
        True,
    ]


def test_the_hour_begins_when_the_email_is_sent(sam, client):
    with time_machine.travel(NOON, tick=False) as clock:
        with email_server_down():
            client.post(FORGOTTEN, {"email": sam.email})
            send_all()
        clock.shift(timedelta(hours=2))
        OutboxEmail.objects.update(due_at=NOON)
        link = link_in_email()

        response = Client().get(link, follow=True)

    assert TOO_OLD not in response.text


def test_the_outbox_holds_no_link(sam, client):
    client.post(FORGOTTEN, {"email": sam.email})
    waiting = list(OutboxEmail.objects.values())
    token = link_in_email().split("/")[-2]
    sent = list(OutboxEmail.objects.values())

    assert len(waiting) == len(sent) == 1
    assert token not in str(waiting + sent)


def statements_of(email: str) -> list[str]:
    """Return the SQL of a request for a link, without the values."""
    with CaptureQueriesContext(connection) as queries:
        Client().post(FORGOTTEN, {"email": email})
    return [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in queries]


@pytest.mark.parametrize("email", ["nobody@maple.example", "gus@maple.example"])
def test_a_request_does_the_same_work_for_known_and_unknown_addresses(email, maple, sam):
    make_member(maple, "Gus Gone", is_active=False)
    statements_of("first@maple.example")

    assert statements_of(sam.email) == statements_of(email) != []
    assert mail.outbox == []


def test_an_email_that_is_too_long_gets_a_sentence_and_is_kept(db, client):
    email = f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.example.com"

    response = client.post(FORGOTTEN, {"email": email})

    assert response.context["form"].errors == {"email": ["Ensure this value has at most 254 characters (it has 255)."]}
    assert response.context["form"]["email"].value() == email
    assert not OutboxEmail.objects.exists()


def test_the_link_goes_to_the_email_of_the_account_and_not_to_the_typed_one(sam, client):
    """Accounts are found by the uppercase email, and a dotless i is an I in upper case."""
    StaffMember.objects.filter(pk=sam.pk).update(email="ida@maple.example")

    client.post(FORGOTTEN, {"email": "\u0131da@maple.example"})
    send_all()

    assert [sent.to for sent in mail.outbox] == [["ida@maple.example"]]


@pytest.mark.parametrize("email", ["nobody@maple.example", "gus@maple.example"])
def test_the_response_does_not_reveal_whether_an_account_exists(email, maple, sam, client):
    make_member(maple, "Gus Gone", is_active=False)

    known = client.post(FORGOTTEN, {"email": sam.email}, follow=True)
    unknown = Client().post(FORGOTTEN, {"email": email}, follow=True)
    send_all()

    assert messages_of(known) == messages_of(unknown)
    assert [sent.to for sent in mail.outbox] == [["sam@maple.example"]]


def test_the_link_ignores_the_host_header(sam, client, settings):
    settings.ALLOWED_HOSTS = ["*"]

    client.post(FORGOTTEN, {"email": sam.email}, headers={"host": "evil.example"})
    send_all()

    assert "evil.example" not in mail.outbox[0].body


def test_an_account_gets_five_links_an_hour_and_the_page_does_not_reveal_it(sam, client):
    answers = [client.post(FORGOTTEN, {"email": sam.email}, follow=True) for _ in range(6)]
    send_all()

    assert len(mail.outbox) == 5
    assert messages_of(answers[-1]) == messages_of(answers[0])


def test_links_are_counted_for_each_account(sam, sky, client):
    for person in (sam,) * 6 + (sky,):
        client.post(FORGOTTEN, {"email": person.email})
    send_all()

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
    send_all()

    assert [sent.to for sent in mail.outbox] == [[sam.email]]


def test_a_new_password_works_at_once_after_too_many_wrong_ones(sam, client):
    for _ in range(11):
        client.post("/sign-in/", {"username": sam.email, "password": "not the password"})
    client.post(FORGOTTEN, {"email": sam.email})
    set_password(link_in_email())

    answer = client.post("/sign-in/", {"username": sam.email, "password": NEW_PASSWORD})

    assert answer.status_code == 302


def test_an_admin_sends_a_person_five_links_an_hour_at_most(as_ada, sam):
    cache.clear()
    for _ in range(5):
        as_ada.post(reverse("staff-invite", args=[sam.pk]))

    response = as_ada.post(reverse("staff-invite", args=[sam.pk]), follow=True)

    assert OutboxEmail.objects.count() == 5
    assert messages_of(response)[-1] == f"{sam.email} got five links in the last hour. Try again later."
