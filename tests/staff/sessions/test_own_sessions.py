"""List, end and protect your own sessions: the profile, sign out everywhere, another password."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staff.audit_log.kinds import PASSWORD_CHANGED, SIGN_IN_FAILED, SIGNED_OUT_ELSEWHERE
from staff.models import Role, StaffMember
from staff.sessions.models import StaffSession
from staff.sign_in.known_devices import is_known
from tests.audit_log import event_of
from tests.cast import signed_in
from tests.factories import PASSWORD, make_member
from tests.integrations.pages import messages_of, page_text
from tests.outbox import send_all

NEW_PASSWORD = "a quiet river at dawn"
WINDOWS_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)


@pytest.fixture(autouse=True)
def reset_counters() -> None:
    cache.clear()


@pytest.fixture
def sam(maple) -> StaffMember:
    sam = make_member(maple, "Sam Okafor")
    sam.set_password(PASSWORD)
    sam.save()
    return sam


def profile(member: StaffMember) -> str:
    return reverse("staff-profile", args=[member.pk])


def change_password(client: Client, old: str = PASSWORD, new: str = NEW_PASSWORD):
    return client.post(reverse("password-change"), {"old_password": old, "new_password1": new, "new_password2": new})


def is_in(client: Client) -> bool:
    return bool(client.get("/schedule/").status_code == 200)


def test_the_profile_lists_sessions_with_browser_address_and_times(client, sam):
    sign_in = {"username": sam.email, "password": PASSWORD}
    client.post(reverse("login"), sign_in, headers={"user-agent": WINDOWS_CHROME}, REMOTE_ADDR="203.0.113.5")

    text = page_text(client.get(profile(sam), REMOTE_ADDR="203.0.113.5"))

    assert "Chrome on Windows This session IP address 203.0.113.5 Signed in " in text
    assert "You are not signed in anywhere else." in text


def test_the_current_session_comes_first(as_sam, sam):
    here = StaffSession.objects.get()
    signed_in(sam)

    rows = as_sam.get(profile(sam)).context["sessions"]

    assert [row.is_current for row in rows] == [True, False]
    assert rows[0].started_at == here.started_at


def test_the_list_leaves_out_sessions_that_are_over(as_sam, sam):
    idle, old, changed = (StaffSession.objects.create(staff=sam, auth_hash=sam.get_session_auth_hash()) for _ in "123")
    now = timezone.now()
    StaffSession.objects.filter(pk=idle.pk).update(last_active_at=now - timedelta(minutes=30))
    StaffSession.objects.filter(pk=old.pk).update(started_at=now - timedelta(hours=12))
    StaffSession.objects.filter(pk=changed.pk).update(auth_hash="of another password")

    assert len(as_sam.get(profile(sam)).context["sessions"]) == 1


def test_admins_do_not_see_the_sessions_of_others(as_ada, as_sam, sam):
    assert "Where you are signed in" not in page_text(as_ada.get(profile(sam)))


def test_sign_out_everywhere_keeps_this_session(as_sam, as_ada, sam):
    elsewhere = signed_in(sam)

    response = as_sam.post(reverse("sign-out-everywhere"))

    assert messages_of(response) == ["You are signed out everywhere else. You stay signed in here."]
    assert [is_in(client) for client in (as_sam, elsewhere, as_ada)] == [True, False, True]


def test_a_page_takes_one_query_more_however_many_sessions_there_are(as_sam, sam, django_assert_num_queries):
    StaffSession.objects.bulk_create(StaffSession(staff=sam, auth_hash=sam.get_session_auth_hash()) for _ in range(50))
    with django_assert_num_queries(3):  # Django's session, the member, the row
        as_sam.get(reverse("password-change"))


def test_another_password_keeps_this_session_and_ends_the_others(as_sam, sam):
    elsewhere = signed_in(sam)

    response = change_password(as_sam)

    assert messages_of(response) == ["Your password is changed. You are signed out everywhere else."]
    assert (is_in(as_sam), is_in(elsewhere)) == (True, False)
    assert Client().login(username=sam.email, password=NEW_PASSWORD)


def test_after_another_password_the_list_still_has_this_session(as_sam, sam):
    change_password(as_sam)

    assert [row.is_current for row in as_sam.get(profile(sam)).context["sessions"]] == [True]


def test_a_wrong_present_password_changes_nothing(as_sam, sam):
    response = change_password(as_sam, old="not the password")

    assert response.context["form"].errors["old_password"] == ["This is not your password. Check it and try again."]
    sam.refresh_from_db()
    assert sam.check_password(PASSWORD)


def test_a_weak_password_is_refused(as_sam, sam):
    response = change_password(as_sam, new="short")

    assert "new_password2" in response.context["form"].errors


def test_guesses_at_the_present_password_are_limited(as_sam, sam):
    for _ in range(10):
        change_password(as_sam, old="not the password")

    response = change_password(as_sam)

    sentence = "Too many attempts. Try again in 15 minutes or reset your password."
    assert response.context["form"].errors["old_password"] == [sentence]


def test_schedulers_reach_their_profile_from_every_page(as_sky, sky):
    assert f'href="{profile(sky)}"' in as_sky.get("/schedule/").text
    assert as_sky.get(profile(sky)).status_code == 200
    assert sky.role == Role.SCHEDULER


def test_another_password_is_recorded_and_announced(as_sam, sam):
    change_password(as_sam)

    send_all()
    assert event_of(PASSWORD_CHANGED).actor == sam
    assert [email.subject for email in mail.outbox] == ["Your password has changed"]


def test_a_wrong_present_password_is_recorded(as_sam, sam):
    change_password(as_sam, old="not the password")

    assert event_of(SIGN_IN_FAILED).subject_id == sam.pk


def test_signing_out_everywhere_is_recorded(as_sam, sam):
    as_sam.post(reverse("sign-out-everywhere"))

    assert event_of(SIGNED_OUT_ELSEWHERE).actor == sam


def test_a_browser_stays_known_with_another_password(client, sam):
    client.post(reverse("login"), {"username": sam.email, "password": PASSWORD})
    change_password(client)

    assert is_known(client.get(profile(sam)).wsgi_request, sam.email)
