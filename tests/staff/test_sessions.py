"""Sessions are read by hand, and are Django's all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.backends import db as django_sessions
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from staff.sessions import SessionStore

pytestmark = pytest.mark.django_db


def test_a_session_that_django_wrote_is_read():
    written = django_sessions.SessionStore()
    written["colour"] = "green"
    written.save()

    assert SessionStore(written.session_key)["colour"] == "green"


def test_nobody_is_signed_in_by_a_session_that_is_over(as_ada):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    answer = as_ada.get(reverse("staff-list"))

    assert (answer.status_code, answer["Location"]) == (
        302,
        f"{reverse('login')}?next={reverse('staff-list')}",
    )


def test_an_unknown_session_gets_a_key_of_its_own():
    session = SessionStore("a" * 32)
    session["colour"] = "green"
    session.save()

    assert session.session_key != "a" * 32
    assert Session.objects.count() == 1
