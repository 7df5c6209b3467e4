"""Appointments that an update of the time zone rules moves to another local time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db.models import F
from django.urls import reverse

from appointments.changes import local_times
from appointments.changes.local_times import (
    check_local_times,
    is_restoring,
    moved_by_zone_rules,
    request_local_times,
    restore_local_times,
)
from appointments.changes.meeting_method import change_method
from appointments.changes.move import move_appointment, reassign_appointment
from appointments.changes.status import cancel_appointment
from appointments.models import Appointment, BookedThrough, ZoneRulesCheck
from integrations.models import Meeting
from services.models import MeetingMethod
from staff.models import Role, StaffMember
from tests.appointments.conftest import Maple, monday
from tests.appointments.mailbox import part, sent_to
from tests.appointments.outcomes import timeline
from tests.cast import signed_in
from tests.factories import make_location, make_member, make_organization, make_service
from tests.outbox import send_all

pytestmark = pytest.mark.usefixtures("friday")

TORONTO = ZoneInfo("America/Toronto")


def local(hour: int) -> datetime:
    """Return a time on the Monday's wall clocks."""
    return monday(hour).replace(tzinfo=None)


def rules_change(hours: int = 1) -> None:
    """Make clocks show a time so many hours later than booked, as if the rules of the zones had changed."""
    Appointment.objects.update(local_start=F("local_start") - timedelta(hours=hours))
    ZoneRulesCheck.objects.update(rules_version="2020.1")
    check_local_times()


def flagged(maple: Maple) -> list[int]:
    return [appointment.pk for appointment in moved_by_zone_rules(maple.organization)]


def restore(maple: Maple, ada: StaffMember) -> None:
    request_local_times(maple.organization, ada)
    restore_local_times()


# --- What is stored ---------------------------------------------------------------------------------
def test_a_booking_stores_the_local_start_of_the_staff_member(maple: Maple) -> None:
    maple.sam.time_zone = TORONTO
    maple.sam.save()

    appointment = maple.book(method=MeetingMethod.PHONE, starts_at=monday(15))

    appointment.refresh_from_db()
    assert (appointment.local_start, appointment.local_zone) == (local(10), TORONTO)


def test_a_booking_in_person_stores_the_local_start_of_the_branch(maple: Maple) -> None:
    branch = make_location(maple.organization, time_zone=ZoneInfo("America/Vancouver"))

    appointment = maple.book(location=branch, starts_at=monday(15))

    assert (appointment.local_start, appointment.local_zone) == (local(8), branch.time_zone)


def test_a_move_a_reassignment_and_another_method_store_the_new_local_start(maple: Maple) -> None:
    tom = make_member(maple.organization, "Tom Ito", time_zone=TORONTO)
    maple.review.staff.add(tom)
    appointment = maple.book(method=MeetingMethod.PHONE)
    changed: Any = {"actor": maple.sky, "through": BookedThrough.SCHEDULE}

    moved = move_appointment(appointment, starts_at=monday(14), **changed)
    local_starts = [(moved.local_start, str(moved.local_zone))]
    reassigned = reassign_appointment(moved, staff=tom, outside_hours=True, **changed)
    local_starts.append((reassigned.local_start, str(reassigned.local_zone)))
    branch = make_location(maple.organization, time_zone=ZoneInfo("America/Vancouver"))
    changed["outside_hours"] = True
    at_branch = change_method(reassigned, method=MeetingMethod.AT_LOCATION, location=branch, **changed)
    local_starts.append((at_branch.local_start, str(at_branch.local_zone)))

    assert local_starts == [
        (local(14), "UTC"),
        (local(9), "America/Toronto"),
        (local(7), "America/Vancouver"),
    ]


# --- What is found ----------------------------------------------------------------------------------
def test_appointments_that_moved_are_found_and_the_admins_get_one_email(maple: Maple, ada: StaffMember) -> None:
    appointment = maple.book()
    send_all()
    mail.outbox.clear()

    rules_change()
    check_local_times()
    send_all()

    assert flagged(maple) == [appointment.pk]
    [email] = [email for email in mail.outbox if email.to == [ada.email]]
    assert "1 upcoming appointment is at another local time" in email.body
    assert reverse("local-times") in email.body


def test_without_a_difference_nothing_is_found(maple: Maple) -> None:
    maple.book()

    check_local_times()

    assert flagged(maple) == []
    assert ZoneRulesCheck.objects.get(organization=maple.organization).rules_version == local_times.rules_version()


def test_an_organisation_is_checked_once_for_each_version_of_the_rules(
    maple: Maple, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = [check_local_times(), check_local_times()]

    monkeypatch.setattr(local_times, "rules_version", lambda: "2099.1")

    assert [*checked, check_local_times()] == [1, 0, 1]


def test_past_and_cancelled_appointments_are_left_alone(maple: Maple) -> None:
    cancelled = maple.book()
    cancel_appointment(cancelled, actor=maple.sky, through=BookedThrough.SCHEDULE)
    past = maple.book(starts_at=monday(14))
    Appointment.objects.filter(pk=past.pk).update(
        **{name: F(name) - timedelta(days=7) for name in ("starts_at", "ends_at", "busy_from", "busy_to")}
    )

    rules_change()

    assert flagged(maple) == []


def test_rules_that_change_back_end_the_finding(maple: Maple) -> None:
    maple.book()
    rules_change()

    rules_change(-1)

    assert flagged(maple) == []


def test_an_hour_that_comes_twice_is_no_difference(maple: Maple) -> None:
    maple.sam.time_zone = TORONTO
    maple.sam.save()
    second = datetime(2027, 11, 7, 1, 30, tzinfo=TORONTO, fold=1).astimezone(UTC)
    appointment = maple.book(method=MeetingMethod.PHONE, starts_at=second, outside_hours=True)

    check_local_times()

    assert flagged(maple) == []
    assert appointment.promised_start == second


# --- What an admin decides --------------------------------------------------------------------------
def test_appointments_keep_the_times_as_booked(maple_with_teams: Maple, ada: StaffMember) -> None:
    maple = maple_with_teams
    appointment = maple.book(method=MeetingMethod.VIDEO)
    rules_change()

    restore(maple, ada)

    appointment.refresh_from_db()
    assert (appointment.starts_at, Meeting.objects.get().starts_at) == (monday(9), monday(9))
    assert flagged(maple) == []
    assert timeline(appointment)[-1] == (
        "Kept at Mon 30 Nov 2026, 09:00 UTC, because the rules of the time zone changed."
    )
    assert not is_restoring(maple.organization)


@pytest.mark.parametrize("hours", [1, -1])
def test_appointments_one_after_the_other_make_room_for_each_other(maple: Maple, ada: StaffMember, hours: int) -> None:
    maple.review.duration = 60
    maple.review.save()
    for hour in (10, 11, 12):
        maple.book(starts_at=monday(hour))
    rules_change(hours)

    restore(maple, ada)

    starts = Appointment.objects.order_by("starts_at").values_list("starts_at", flat=True)
    assert list(starts) == [monday(hour - hours) for hour in (10, 11, 12)]


def test_a_time_that_is_taken_leaves_the_appointment_in_the_list(maple: Maple, ada: StaffMember) -> None:
    first, second = maple.book(starts_at=monday(10)), maple.book(starts_at=monday(11))
    rules_change()
    Appointment.objects.filter(pk=first.pk).update(local_start=local(10), moved_by_zone_rules=False)

    restore(maple, ada)

    assert flagged(maple) == [second.pk]
    assert not is_restoring(maple.organization)


def test_a_killed_worker_is_followed_by_one_that_goes_on(
    maple: Maple, ada: StaffMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    maple.book(starts_at=monday(10))
    maple.book(starts_at=monday(13))
    rules_change()
    request_local_times(maple.organization, ada)
    real = move_appointment

    def move_one(appointment: Appointment, **changes: Any) -> Appointment:
        monkeypatch.setattr(local_times, "move_appointment", killed)
        return real(appointment, **changes)

    def killed(appointment: Appointment, **changes: Any) -> Appointment:
        raise SystemExit

    monkeypatch.setattr(local_times, "move_appointment", move_one)
    with pytest.raises(SystemExit):
        restore_local_times()
    monkeypatch.setattr(local_times, "move_appointment", real)
    left = len(flagged(maple))

    restore_local_times()

    assert (left, flagged(maple), is_restoring(maple.organization)) == (1, [], False)


def test_an_appointment_that_changed_since_the_request_is_not_moved(maple: Maple, ada: StaffMember) -> None:
    appointment = maple.book()
    rules_change()
    request_local_times(maple.organization, ada)
    move_appointment(appointment, starts_at=monday(14), actor=maple.sky, through=BookedThrough.SCHEDULE)

    restore_local_times()

    appointment.refresh_from_db()
    assert (appointment.starts_at, flagged(maple)) == (monday(14), [])


def test_saving_the_present_time_keeps_the_new_local_time_and_notifies(maple: Maple) -> None:
    appointment = maple.book()
    send_all()
    mail.outbox.clear()
    rules_change()

    move_appointment(appointment, starts_at=monday(10), actor=maple.sky, through=BookedThrough.SCHEDULE)
    send_all()

    appointment.refresh_from_db()
    body = part(sent_to(maple.cleo.email), "text/plain")
    assert (appointment.local_start, flagged(maple)) == (local(10), [])
    assert timeline(appointment)[-1] == "Now at Mon 30 Nov 2026, 10:00 UTC, because the rules of the time zone changed."
    assert "10:00 – 10:30" in body
    assert "09:00 – 09:30" in body


def test_a_reassignment_decides_nothing_about_the_time(maple: Maple) -> None:
    tom = make_member(maple.organization, "Tom Ito")
    maple.review.staff.add(tom)
    appointment = maple.book()
    rules_change()

    reassign_appointment(appointment, staff=tom, outside_hours=True, actor=maple.sky, through=BookedThrough.SCHEDULE)

    assert flagged(maple) == [appointment.pk]


# --- What clients and staff read --------------------------------------------------------------------
def test_a_client_on_the_same_clock_reads_that_their_time_stays(maple: Maple, ada: StaffMember) -> None:
    maple.book()
    send_all()
    mail.outbox.clear()
    rules_change()

    restore(maple, ada)
    send_all()

    body = part(sent_to(maple.cleo.email), "text/plain")
    assert "09:00 – 09:30" in body
    assert "10:00" not in body
    assert "The rules of the time zone changed. Your time stays" in body


def test_a_client_on_another_clock_reads_the_earlier_and_the_new_time(maple: Maple, ada: StaffMember) -> None:
    maple.cleo.time_zone = TORONTO
    maple.cleo.save()
    maple.book(method=MeetingMethod.PHONE)
    send_all()
    mail.outbox.clear()
    rules_change()

    restore(maple, ada)
    send_all()

    body = part(sent_to(maple.cleo.email), "text/plain")
    assert "04:00 – 04:30" in body
    assert "05:00 – 05:30" in body
    assert "Your time stays" not in body


# --- Pages ------------------------------------------------------------------------------------------
def test_the_page_lists_both_times_and_starts_the_work(maple: Maple, ada: StaffMember) -> None:
    maple.book()
    rules_change()
    browser = signed_in(ada)

    page = browser.get(reverse("local-times")).content.decode()
    schedule = browser.get(reverse("schedule")).content.decode()
    browser.post(reverse("local-times"))

    assert "Mon 30 Nov 2026, 09:00" in page
    assert "Mon 30 Nov 2026, 10:00 UTC" in page
    assert "New time zone rules moved 1 upcoming appointment" in schedule
    assert is_restoring(maple.organization)
    assert "being moved back" in browser.get(reverse("local-times")).content.decode()


def test_another_organisations_appointments_are_neither_listed_nor_moved(maple: Maple) -> None:
    appointment = maple.book()
    cedar = make_organization("Cedar Bank")
    otto = make_member(cedar, "Otto Baum", role=Role.ADMIN)
    make_service(cedar)
    rules_change()

    page = signed_in(otto).get(reverse("local-times")).content.decode()
    request_local_times(cedar, otto)
    restore_local_times()

    appointment.refresh_from_db()
    assert "All upcoming appointments are at the local time" in page
    assert appointment.starts_at == monday(10)
