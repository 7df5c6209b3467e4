"""Events about people: who changed what, from where."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
import time_machine
from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.urls import reverse

from staff.audit_log import kinds
from staff.audit_log.models import AuditEvent
from staff.models import OutboxEmail, Role, StaffMember
from staff.people import save_person
from tests.audit_log import entry_of, event_of, events_of
from tests.factories import PASSWORD, make_hours, make_location, make_member
from tests.outbox import email_server_down, retry_all, send_all
from tests.staff.sign_in.test_passwords import link_in_email, set_password
from tests.staff.test_people_pages import ADD, details


@pytest.fixture(autouse=True)
def reset_counters() -> None:
    cache.clear()


@pytest.fixture
def today():
    with time_machine.travel(datetime(2026, 11, 25, 12, tzinfo=UTC)):
        yield


def edit(browser, person: StaffMember, **changes: str) -> None:
    form = {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "username": person.username,
        "role": person.role,
        "location": "",
        "time_zone": "",
        "is_active": "on",
    }
    browser.post(reverse("staff-edit", args=[person.pk]), {**form, **changes})


def test_a_changed_email_is_recorded_with_both_values(as_ada, ada, sam, maple):
    edit(as_ada, sam, email="samuel@maple.example")

    event = event_of(kinds.EMAIL_CHANGED)
    assert (event.organization, event.actor, event.address) == (maple, ada, "127.0.0.1")
    assert (event.subject_model, event.subject_id, event.subject_name) == ("staff.staffmember", sam.pk, "Sam Okafor")
    assert event.params == {
        "changes": [{"field": "email", "before": "sam@maple.example", "after": "samuel@maple.example"}]
    }


def test_a_changed_role_reads_as_people_know_it(as_ada, sam):
    edit(as_ada, sam, role=Role.SCHEDULER)

    entry = entry_of(kinds.ROLE_CHANGED)
    assert (entry.actor, entry.kind, entry.subject) == ("Ada Lovell", "Role changed", "Sam Okafor")
    assert entry.details == "Role: Staff member → Scheduler"


def test_switching_a_person_off_and_on_is_recorded(as_ada, sam):
    edit(as_ada, sam, is_active="")
    edit(as_ada, sam)

    assert event_of(kinds.SWITCHED_OFF).pk < event_of(kinds.SWITCHED_ON).pk


def test_the_other_details_share_an_event(as_ada, sam, maple):
    branch = make_location(maple, "Airport")

    edit(as_ada, sam, first_name="Samuel", location=str(branch.pk), time_zone="Europe/Berlin")

    assert entry_of(kinds.PERSON_CHANGED).details == (
        "First name: Sam → Samuel; Location: – → Airport; Time zone: – → Europe/Berlin"
    )


def test_a_save_without_a_change_is_not_recorded(as_ada, sam):
    before = AuditEvent.objects.count()

    edit(as_ada, sam)

    assert AuditEvent.objects.count() == before


def test_a_refused_change_is_not_recorded(as_ada, ada):
    edit(as_ada, ada, role=Role.STAFF)

    assert events_of(kinds.ROLE_CHANGED) == []


def test_a_change_that_is_rolled_back_leaves_no_event(sam):
    with suppress(ZeroDivisionError), transaction.atomic():
        sam.role = Role.ADMIN
        save_person(sam, ["role"])
        raise ZeroDivisionError

    assert events_of(kinds.ROLE_CHANGED) == []


def test_a_change_without_its_event_is_rolled_back(as_ada, sam, monkeypatch):
    def refuse(*args: object, **kwargs: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(AuditEvent, "save", refuse)
    with suppress(DatabaseError):
        edit(as_ada, sam, role=Role.ADMIN)

    assert StaffMember.objects.get(pk=sam.pk).role == Role.STAFF


def test_an_added_person_is_recorded_with_email_and_role(as_ada):
    as_ada.post(ADD, details())

    entry = entry_of(kinds.PERSON_ADDED)
    assert entry.subject == "Nia Jones"
    assert entry.details.startswith("Email: nia@maple.example; Role: Staff member")


def test_an_invitation_is_recorded(as_ada, ada, sam):
    as_ada.post(reverse("staff-invite", args=[sam.pk]))

    event = event_of(kinds.INVITATION_SENT)
    assert (event.actor, event.subject_id) == (ada, sam.pk)


def test_an_invitation_without_its_event_is_not_sent(as_ada, sam, monkeypatch):
    def refuse(*args: object, **kwargs: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(AuditEvent, "save", refuse)
    with suppress(DatabaseError):
        as_ada.post(reverse("staff-invite", args=[sam.pk]))

    assert not OutboxEmail.objects.exists()


def test_a_forgotten_password_is_recorded_without_an_actor(client, sam):
    client.post(reverse("password-forgotten"), {"email": sam.email})

    send_all()
    event = event_of(kinds.PASSWORD_LINK_SENT)
    assert (event.actor, event.subject_id, event.address) == (None, sam.pk, "127.0.0.1")


def test_a_password_link_that_an_admin_sends_is_recorded_as_theirs(as_ada, ada, sam):
    sam.set_password(PASSWORD)
    sam.save()

    as_ada.post(reverse("staff-invite", args=[sam.pk]))

    send_all()
    event = event_of(kinds.PASSWORD_LINK_SENT)
    assert (event.actor, event.subject_id, event.address) == (ada, sam.pk, "127.0.0.1")


def test_a_password_link_that_is_sent_at_a_second_try_is_recorded_once(client, sam):
    client.post(reverse("password-forgotten"), {"email": sam.email})

    with email_server_down():
        send_all()
    retry_all()

    assert len(events_of(kinds.PASSWORD_LINK_SENT)) == 1


def test_a_password_set_by_a_link_is_recorded_without_an_actor(client, sam):
    client.post(reverse("password-forgotten"), {"email": sam.email})
    set_password(link_in_email())

    event = event_of(kinds.PASSWORD_CHANGED)
    assert (event.actor, event.subject_id) == (None, sam.pk)


def test_changed_hours_are_recorded_before_and_after(as_sam, sam):
    as_sam.post(reverse("staff-hours", args=[sam.pk]), {"d0_0_start": "09:00", "d0_0_end": "12:00"})

    assert entry_of(kinds.HOURS_CHANGED).details == "no hours → Monday 09:00–12:00"


def test_hours_that_stay_are_not_recorded(as_sam, sam):
    make_hours(sam)
    week = {f"d{day}_0_{edge}": time for day in range(5) for edge, time in (("start", "09:00"), ("end", "17:00"))}

    as_sam.post(reverse("staff-hours", args=[sam.pk]), week)

    assert events_of(kinds.HOURS_CHANGED) == []


def test_time_off_is_recorded_without_its_reason(today, as_sam, sam):
    days = {"first_day": "2027-03-02", "last_day": "2027-03-03", "reason": "Surgery"}

    as_sam.post(reverse("staff-time-off", args=[sam.pk]), days)
    as_sam.post(reverse("staff-time-off-remove", args=[sam.pk, sam.time_off.get().pk]))

    assert entry_of(kinds.TIME_OFF_ADDED).details == "Tue 2 Mar 2027, 00:00 – Thu 4 Mar 2027, 00:00"
    assert entry_of(kinds.TIME_OFF_REMOVED).details == "Tue 2 Mar 2027, 00:00 – Thu 4 Mar 2027, 00:00"
    assert not AuditEvent.objects.filter(params__icontains="Surgery").exists()


def test_a_second_click_on_remove_records_nothing_more(today, as_sam, sam):
    as_sam.post(reverse("staff-time-off", args=[sam.pk]), {"first_day": "2027-03-02"})
    pk = sam.time_off.get().pk

    for _ in range(2):
        as_sam.post(reverse("staff-time-off-remove", args=[sam.pk, pk]))

    assert len(events_of(kinds.TIME_OFF_REMOVED)) == 1


def test_a_taken_email_is_recorded_without_the_email(as_ada, ada, maple, otto):
    as_ada.post(ADD, details(email="otto@cedar.example"))

    event = event_of(kinds.TAKEN_EMAIL_ENTERED)
    assert (event.actor, event.organization, event.subject_id, event.params) == (ada, maple, None, {})


def test_after_twenty_taken_emails_free_ones_are_refused_too(as_ada, otto):
    for _ in range(20):
        as_ada.post(ADD, details(email="otto@cedar.example"))

    taken = as_ada.post(ADD, details(email="otto@cedar.example"))
    free = as_ada.post(ADD, details())

    sentence = {"email": ["You entered too many emails that are already taken. Try again in an hour."]}
    assert (taken.context["form"].errors, free.context["form"].errors) == (sentence, sentence)
    assert len(events_of(kinds.TAKEN_EMAIL_ENTERED)) == 20
    assert not StaffMember.objects.filter(first_name="Nia").exists()


def test_free_emails_do_not_count(as_ada, maple):
    for number in range(21):
        as_ada.post(ADD, details(email=f"nia{number}@maple.example", username=""))

    assert StaffMember.objects.filter(first_name="Nia").count() == 21


def test_after_twenty_taken_emails_a_person_can_still_be_edited(as_ada, sam, otto):
    for _ in range(21):
        as_ada.post(ADD, details(email="otto@cedar.example"))

    edit(as_ada, sam, first_name="Samuel")

    assert StaffMember.objects.get(pk=sam.pk).first_name == "Samuel"


def test_another_admin_has_a_limit_of_their_own(as_ada, otto, maple, client):
    for _ in range(21):
        as_ada.post(ADD, details(email="otto@cedar.example"))
    client.force_login(make_member(maple, "Bea Admin", Role.ADMIN))

    client.post(ADD, details())

    assert StaffMember.objects.filter(first_name="Nia").exists()
