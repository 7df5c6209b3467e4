"""Emails about changes of accounts."""

from __future__ import annotations

import pytest
from django.core import mail
from django.core.cache import cache
from django.urls import reverse

from staff.accounts.changes import record_new_person
from staff.audit_log.kinds import PASSWORD_CHANGED
from staff.models import Role
from staff.people import save_person
from tests.audit_log import event_of
from tests.factories import PASSWORD, make_member, make_operator
from tests.outbox import send_all
from tests.staff.sign_in.test_passwords import link_in_email, set_password
from tests.staff.test_people_pages import ADD, details

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reset_counters() -> None:
    cache.clear()


def sent() -> list[tuple[list[str], str]]:
    """Send the waiting emails; return recipients and subject of each."""
    send_all()
    return [(email.to, str(email.subject)) for email in mail.outbox]


def test_a_new_email_is_announced_to_both_addresses(sam):
    sam.email = "samuel@maple.example"
    save_person(sam, ["email"])

    assert sent() == [(["sam@maple.example", "samuel@maple.example"], "Your sign-in email has changed")]
    assert "Old: sam@maple.example\nNew: samuel@maple.example" in mail.outbox[0].body


def test_a_new_role_is_announced_to_the_person(sam):
    sam.role = Role.SCHEDULER
    save_person(sam, ["role"])

    assert sent() == [(["sam@maple.example"], "Your role has changed")]
    assert "Old: Staff member\nNew: Scheduler" in mail.outbox[0].body


def test_a_new_admin_is_announced_to_all_other_admins(ada, sam, maple, otto):
    make_member(maple, "Bea Admin", Role.ADMIN)
    make_member(maple, "Ike Gone", Role.ADMIN, is_active=False)
    sam.role = Role.ADMIN
    save_person(sam, ["role"])

    assert sent() == [
        (["sam@maple.example"], "Your role has changed"),
        (["ada@maple.example"], "Sam Okafor is now an admin"),
        (["bea@maple.example"], "Sam Okafor is now an admin"),
    ]


def test_an_operator_is_announced_to_no_one(ada):
    make_operator(email="oscar@operator.example", role=Role.ADMIN)

    record_new_person(make_operator(role=Role.ADMIN))

    assert sent() == []


def test_an_added_admin_is_announced_to_the_other_admins(as_ada):
    as_ada.post(ADD, details(role="admin"))

    assert sent() == [(["ada@maple.example"], "Nia Jones is now an admin")]


def test_an_admin_who_is_switched_on_again_is_announced(ada, maple):
    bea = make_member(maple, "Bea Admin", Role.ADMIN, is_active=False)
    bea.is_active = True
    save_person(bea, ["is_active"])

    assert sent() == [(["ada@maple.example"], "Bea Admin is now an admin")]


def test_another_change_sends_nothing(sam):
    sam.first_name = "Samuel"
    save_person(sam, ["first_name"])

    assert sent() == []


def test_the_first_password_is_recorded_and_not_announced(as_ada, sam):
    as_ada.post(reverse("staff-invite", args=[sam.pk]))
    link = link_in_email()
    mail.outbox.clear()
    set_password(link)

    assert event_of(PASSWORD_CHANGED).subject_id == sam.pk
    assert sent() == []


def test_an_invitation_that_replaces_a_password_is_announced(as_ada, sam):
    as_ada.post(reverse("staff-invite", args=[sam.pk]))
    sam.set_password(PASSWORD)
    sam.save()
    link = link_in_email()
    mail.outbox.clear()
    set_password(link)

    assert sent() == [(["sam@maple.example"], "Your password has changed")]


def test_a_password_set_by_a_link_is_announced(client, sam):
    client.post(reverse("password-forgotten"), {"email": sam.email})
    link = link_in_email()
    mail.outbox.clear()
    set_password(link)

    assert sent() == [(["sam@maple.example"], "Your password has changed")]
