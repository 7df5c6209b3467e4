"""Sessions end after a time without activity, after twelve hours, and when the account changes."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staff.audit_log.kinds import SESSION_ENDED, SIGNED_OUT
from staff.models import Organization, Role, StaffMember
from staff.sessions.models import StaffSession
from staff.tasks import clear_sessions
from tests.audit_log import entry_of, event_of, events_of
from tests.cast import signed_in
from tests.factories import PASSWORD, make_operator

START = timezone.now().replace(microsecond=0)
PAGE = "/schedule/"
SIGN_IN = "/sign-in/?next=/schedule/"
POLL = {"X-Poll": "1"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(START, tick=False) as clock:
        yield clock


def is_in(client: Client, **options) -> bool:
    return bool(client.get(PAGE, **options).status_code == 200)


def sentences_of(client: Client) -> list[str]:
    """Open the schedule; return the sentences on the page to which it leads."""
    return [str(message) for message in client.get(PAGE, follow=True).context["messages"]]


def test_thirty_minutes_without_activity_end_a_session(as_sam, clock):
    clock.shift(timedelta(minutes=30))

    response = as_sam.get(PAGE)

    assert response["Location"] == SIGN_IN


def test_the_sign_in_page_gives_the_reason(as_sam, clock):
    clock.shift(timedelta(minutes=31))

    assert sentences_of(as_sam) == ["You were signed out after 30 minutes without activity."]


def test_a_session_that_ends_automatically_is_recorded_once_with_the_reason(as_sam, sam, clock):
    clock.shift(timedelta(minutes=31))
    copied = Client()
    copied.cookies = as_sam.cookies.copy()

    is_in(as_sam), is_in(copied)

    assert events_of(SIGNED_OUT) == []
    assert event_of(SESSION_ENDED).actor == sam
    entry = entry_of(SESSION_ENDED)
    assert (entry.kind, entry.details) == ("Signed out automatically", "After 30 minutes without activity")


def test_a_session_that_is_too_old_is_recorded_with_that_reason(as_sam, clock):
    for _ in range(12 * 60 // 20):
        clock.shift(timedelta(minutes=20))
        as_sam.get(PAGE)

    assert entry_of(SESSION_ENDED).details == "12 hours after the sign-in"


def test_a_session_that_was_ended_elsewhere_does_not_end_automatically(as_sam):
    StaffSession.objects.all().delete()

    is_in(as_sam)

    assert events_of(SIGNED_OUT) + events_of(SESSION_ENDED) == []


def test_activity_prolongs_a_session(as_sam, clock):
    for _ in range(3):
        clock.shift(timedelta(minutes=29))
        assert is_in(as_sam)


def test_a_poll_is_no_activity(as_sam, clock):
    for _ in range(2):
        clock.shift(timedelta(minutes=14))
        assert is_in(as_sam, headers=POLL)
    clock.shift(timedelta(minutes=3))

    assert not is_in(as_sam, headers=POLL)


def test_twelve_hours_end_a_session_in_spite_of_activity(as_sam, clock):
    for _ in range(12 * 60 // 20 - 1):
        clock.shift(timedelta(minutes=20))
        assert is_in(as_sam)
    clock.shift(timedelta(minutes=20))

    assert sentences_of(as_sam) == ["You were signed out because you signed in 12 hours ago."]


def test_an_organisation_has_its_own_idle_limit(as_sam, maple, clock):
    Organization.objects.filter(pk=maple.pk).update(idle_minutes=5)
    clock.shift(timedelta(minutes=5))

    assert sentences_of(as_sam) == ["You were signed out after 5 minutes without activity."]


@pytest.mark.parametrize("minutes", [4, 721])
def test_the_idle_limit_has_bounds(maple, minutes):
    with pytest.raises(IntegrityError, match="idle_minutes_in_range"), transaction.atomic():
        Organization.objects.filter(pk=maple.pk).update(idle_minutes=minutes)


def test_operators_have_the_same_limits(client, clock, db):
    client.force_login(make_operator())
    clock.shift(timedelta(minutes=30))

    response = client.get("/operator/", follow=True)

    assert response.redirect_chain[0][0] == "/operator/login/?next=/operator/"
    assert "You were signed out after 30 minutes without activity." in response.text


def test_activity_is_written_once_a_minute(as_sam, clock):
    clock.shift(timedelta(seconds=59))
    as_sam.get(PAGE)
    before = StaffSession.objects.get().last_active_at
    clock.shift(timedelta(seconds=1))
    as_sam.get(PAGE)

    assert before == START
    assert StaffSession.objects.get().last_active_at == START + timedelta(minutes=1)


def test_an_account_that_is_switched_off_and_on_again_stays_signed_out(as_sam, sam):
    StaffMember.objects.filter(pk=sam.pk).update(is_active=False)
    StaffMember.objects.filter(pk=sam.pk).update(is_active=True)

    assert sentences_of(as_sam) == ["Your session has ended. Sign in again."]


@pytest.mark.parametrize("change", [{"email": "samuel@maple.example"}, {"role": Role.ADMIN}])
def test_another_email_or_role_ends_the_sessions(as_sam, sam, change):
    StaffMember.objects.filter(pk=sam.pk).update(**change)

    assert not is_in(as_sam)


def test_a_change_that_is_taken_back_does_not_revive_a_session(as_sam, sam):
    for role in (Role.ADMIN, Role.STAFF):
        StaffMember.objects.filter(pk=sam.pk).update(role=role)

    assert not is_in(as_sam)


def test_saving_a_row_that_was_read_before_the_change_does_not_revive_a_session(as_sam, sam):
    StaffMember.objects.filter(pk=sam.pk).update(is_active=False)

    sam.save()

    assert not is_in(as_sam)


def test_other_changes_keep_a_session(as_sam, sam):
    sam.first_name, sam.username = "Samuel", "samuel"
    sam.save()

    assert is_in(as_sam)


def test_an_admin_who_changes_a_person_ends_only_that_persons_sessions(as_ada, as_sam, sam):
    person = {"first_name": "Sam", "email": sam.email, "role": "scheduler", "is_active": "on"}

    as_ada.post(reverse("staff-edit", args=[sam.pk]), person)

    assert (is_in(as_ada), is_in(as_sam)) == (True, False)


def test_changing_ones_own_email_keeps_this_session_and_ends_the_others(as_ada, ada):
    elsewhere = signed_in(ada)
    person = {"first_name": "Ada", "email": "ada.lovell@maple.example", "role": "admin", "is_active": "on"}

    as_ada.post(reverse("staff-edit", args=[ada.pk]), person)

    assert (is_in(as_ada), is_in(elsewhere)) == (True, False)


def test_saving_ones_own_account_without_another_email_keeps_the_session_key(as_ada, ada):
    key = as_ada.session.session_key
    person = {"first_name": "Adele", "email": ada.email, "role": "admin", "is_active": "on"}

    as_ada.post(reverse("staff-edit", args=[ada.pk]), person)

    assert StaffMember.objects.get(pk=ada.pk).first_name == "Adele"
    assert as_ada.session.session_key == key


def test_expired_sessions_are_deleted_after_urgent_work():
    assert settings.CELERY_TASK_ROUTES[clear_sessions.name] == {"priority": 6}
    assert {clear_sessions.name} == {"coconut.clear_sessions"}


def test_a_session_without_its_row_is_over(as_sam):
    StaffSession.objects.all().delete()

    assert not is_in(as_sam)


def test_signing_out_deletes_the_row(as_sam):
    as_sam.post(reverse("logout"))

    assert not StaffSession.objects.exists()


def test_signing_in_twice_in_a_browser_is_one_session(as_sam, sam):
    as_sam.force_login(sam)

    assert StaffSession.objects.count() == 1


def test_a_real_sign_in_is_recorded_with_browser_and_address(client, sam):
    sam.set_password(PASSWORD)
    sam.save()

    client.post(
        reverse("login"),
        {"username": sam.email, "password": PASSWORD},
        headers={"user-agent": "Mozilla/5.0 \x00" + "x" * 500},
        REMOTE_ADDR="203.0.113.5",
    )

    session = StaffSession.objects.get()
    assert (session.staff, session.address, len(session.user_agent)) == (sam, "203.0.113.5", 300)


def test_expired_rows_are_deleted_at_night(as_sam, as_ada, clock):
    clock.shift(timedelta(hours=12, seconds=1))
    later = signed_in(StaffMember.objects.get(first_name="Sam"))

    clear_sessions()

    assert is_in(later)
    assert StaffSession.objects.count() == 1
