"""Events of sign-ins: right, wrong and limited ones, and sign-outs."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from django.urls import reverse

from staff.audit_log import kinds
from staff.audit_log.models import AuditEvent
from tests.audit_log import event_of, events_of
from tests.factories import PASSWORD, make_operator


@pytest.fixture(autouse=True)
def reset_counters() -> None:
    cache.clear()


@pytest.fixture
def ada(ada):
    ada.set_password(PASSWORD)
    ada.save()
    return ada


def try_password(password: str, email: str = "ada@maple.example", page: str = "login", **request: Any) -> Browser:
    browser = Browser()
    browser.post(reverse(page), {"username": email, "password": password}, **request)
    return browser


def test_a_sign_in_is_recorded_with_its_address(ada, maple):
    try_password(PASSWORD, REMOTE_ADDR="192.0.2.7")

    event = event_of(kinds.SIGNED_IN)
    assert (event.organization, event.actor, event.subject_id) == (maple, ada, ada.pk)
    assert event.address == "192.0.2.7"


def test_a_sign_out_is_recorded(ada):
    try_password(PASSWORD).post(reverse("logout"))

    event = event_of(kinds.SIGNED_OUT)
    assert (event.actor, event.subject_id, event.address) == (ada, ada.pk, "127.0.0.1")


def test_a_wrong_password_is_recorded_about_the_person(ada, maple):
    try_password("not the password")

    event = event_of(kinds.SIGN_IN_FAILED)
    assert (event.organization, event.actor, event.subject_id) == (maple, None, ada.pk)


def test_an_unknown_email_is_recorded_without_the_email(ada):
    try_password("not the password", email="hunter2@secret.example")

    event = event_of(kinds.SIGN_IN_FAILED)
    assert (event.organization, event.subject_id, event.subject_name, event.params) == (None, None, "", {})


def test_a_limited_attempt_is_recorded_once_for_a_person_and_an_address(ada):
    for _ in range(13):
        try_password("not the password")
    try_password("not the password", REMOTE_ADDR="192.0.2.7")

    event = event_of(kinds.SIGN_IN_LIMITED)
    assert (event.subject_id, len(events_of(kinds.SIGN_IN_FAILED))) == (ada.pk, 11)


def test_limited_attempts_with_many_unknown_emails_are_recorded_once(ada):
    for number in range(103):
        try_password("not the password", email=f"person{number}@maple.example")

    assert event_of(kinds.SIGN_IN_LIMITED).organization is None


def test_an_operators_sign_in_belongs_to_no_organisation(db):
    olive = make_operator()

    try_password(PASSWORD, email=olive.email, page="admin:login")

    event = event_of(kinds.SIGNED_IN)
    assert (event.actor, event.organization) == (olive, None)


def test_an_admin_who_is_refused_at_the_operators_page_is_recorded(ada, maple):
    try_password(PASSWORD, page="admin:login")

    event = event_of(kinds.SIGN_IN_FAILED)
    assert (event.organization, event.subject_id) == (maple, ada.pk)
    assert not AuditEvent.objects.filter(kind=kinds.SIGNED_IN.name).exists()
