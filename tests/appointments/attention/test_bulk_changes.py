"""Bulk changes of appointments that need attention."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from appointments.attention import bulk_worker
from appointments.attention.bulk_actions import change_item
from appointments.attention.bulk_changes import progress_of, start_bulk_change
from appointments.attention.bulk_worker import resume_bulk_changes, work_on_bulk_change
from appointments.attention.conditions import needing_attention
from appointments.bulk_change_models import BulkAction, BulkChange, BulkChangeItem, ItemOutcome
from appointments.models import Appointment, AppointmentEvent, Client, Notification, Status
from appointments.timeline import event_text
from services.models import MeetingMethod, ServiceAssignment
from staff.models import StaffMember
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment, make_hours, make_location, make_match, make_member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]


def leave(person: StaffMember) -> None:
    person.is_active = False
    person.save()


def run(maple: Maple, action: BulkAction, **fields: Any) -> BulkChange:
    change = start_bulk_change(
        maple.organization, needing_attention(maple.organization), action, started_by=maple.sky, **fields
    )
    work_on_bulk_change(change.pk)
    change.refresh_from_db()
    return change


def outcomes(change: BulkChange) -> list[str]:
    return list(change.items.order_by("appointment__starts_at").values_list("outcome", flat=True))


def emails_to(address: str) -> list[str]:
    found = Notification.objects.filter(email__to=[address]).order_by("pk")
    return list(found.values_list("kind", flat=True))


def test_a_free_colleague_takes_over(maple: Maple, tess: StaffMember) -> None:
    booked = maple.book()
    leave(maple.sam)

    change = run(maple, BulkAction.REASSIGN)

    booked.refresh_from_db()
    assert (booked.staff, outcomes(change), change.items.get().staff) == (tess, ["done"], tess)
    assert change.finished_at is not None
    assert list(needing_attention(maple.organization)) == []


def test_a_bulk_reassignment_is_on_the_timeline_and_emails_client_and_colleague(
    maple: Maple, tess: StaffMember
) -> None:
    booked = maple.book()
    Notification.objects.all().delete()
    leave(maple.sam)

    run(maple, BulkAction.REASSIGN)

    last = AppointmentEvent.objects.filter(appointment=booked).last()
    assert last is not None
    assert (event_text(last), last.actor) == ("Reassigned from Sam Okafor to Tess Moor.", maple.sky)
    assert (emails_to("cleo@example.com"), emails_to(tess.email)) == (["reassigned"], ["reassigned"])


def test_a_person_who_left_gets_no_email(maple: Maple, tess: StaffMember) -> None:
    maple.book()
    Notification.objects.all().delete()
    leave(maple.sam)

    run(maple, BulkAction.REASSIGN)

    assert emails_to(maple.sam.email) == []


def test_the_work_is_spread(maple: Maple, tess: StaffMember) -> None:
    uma = make_member(maple.organization, "Uma Reyes")
    make_hours(uma)
    ServiceAssignment.objects.create(service=maple.review, staff=uma)
    for hour in range(9, 13):
        make_appointment(maple.review, maple.sam, maple.cleo, monday(hour))
    leave(maple.sam)

    run(maple, BulkAction.REASSIGN)

    assert (Appointment.objects.filter(staff=tess).count(), Appointment.objects.filter(staff=uma).count()) == (2, 2)


def test_appointments_that_no_colleague_can_take_stay_with_the_reason(maple: Maple, tess: StaffMember) -> None:
    maple.book()
    make_appointment(maple.review, tess, maple.cleo, monday(10))
    leave(maple.sam)

    change = run(maple, BulkAction.REASSIGN)

    assert outcomes(change) == [ItemOutcome.NONE_FREE]
    assert needing_attention(maple.organization).count() == 1


def test_without_another_provider_the_reason_says_so(maple: Maple) -> None:
    maple.book()
    leave(maple.sam)

    assert outcomes(run(maple, BulkAction.REASSIGN)) == [ItemOutcome.NO_CANDIDATE]


def test_in_person_only_colleagues_of_the_branch_are_asked(maple: Maple, tess: StaffMember) -> None:
    here, there = make_location(maple.organization), make_location(maple.organization, "Harbour")
    booked = maple.book(location=here)
    tess.location = there
    tess.save()
    leave(maple.sam)
    assert outcomes(run(maple, BulkAction.REASSIGN)) == [ItemOutcome.NO_CANDIDATE]

    tess.location = here
    tess.save()
    run(maple, BulkAction.REASSIGN)

    booked.refresh_from_db()
    assert booked.staff == tess


def test_a_video_call_goes_to_a_colleague_who_can_host(maple_with_teams: Maple, tess: StaffMember) -> None:
    maple = maple_with_teams
    booked = maple.book(method=MeetingMethod.VIDEO)
    leave(maple.sam)
    assert outcomes(run(maple, BulkAction.REASSIGN)) == [ItemOutcome.NO_CANDIDATE]

    make_match(maple.organization.connections.get(), tess)
    run(maple, BulkAction.REASSIGN)

    booked.refresh_from_db()
    assert booked.staff == tess


def test_a_colleague_cannot_help_if_the_service_is_off(maple: Maple, tess: StaffMember) -> None:
    maple.book()
    maple.review.active = False
    maple.review.save()

    assert outcomes(run(maple, BulkAction.REASSIGN)) == [ItemOutcome.STAYS_OFF]


def test_cancelling_emails_the_reason(maple: Maple) -> None:
    booked = maple.book()
    leave(maple.sam)

    change = run(maple, BulkAction.CANCEL, reason="We close early.")

    booked.refresh_from_db()
    assert (booked.status, booked.cancel_reason, outcomes(change)) == (Status.CANCELLED, "We close early.", ["done"])
    assert "cancelled" in emails_to("cleo@example.com")


def test_a_finished_bulk_change_keeps_no_reason(maple: Maple) -> None:
    maple.book()
    leave(maple.sam)

    change = run(maple, BulkAction.CANCEL, reason="Cleo Brandt asked for it.")

    change.refresh_from_db()
    assert (change.reason, change.finished_at is not None) == ("", True)


def test_offering_other_times_emails_the_client_and_keeps_the_time(maple: Maple, tess: StaffMember) -> None:
    booked = maple.book()
    leave(maple.sam)

    change = run(maple, BulkAction.MOVE)

    booked.refresh_from_db()
    assert (booked.status, booked.starts_at, booked.staff) == (Status.CONFIRMED, monday(10), maple.sam)
    assert (outcomes(change), emails_to("cleo@example.com")) == (["done"], ["offered"])
    assert event_text(booked.events.last()) == "The client was asked to choose another time."  # type: ignore[arg-type]


def test_a_client_is_asked_once(maple: Maple, tess: StaffMember) -> None:
    maple.book()
    leave(maple.sam)
    run(maple, BulkAction.MOVE)

    again = run(maple, BulkAction.MOVE)

    assert (outcomes(again), emails_to("cleo@example.com")) == ([ItemOutcome.ASKED_BEFORE], ["offered"])


def test_a_client_without_email_is_not_asked(maple: Maple, tess: StaffMember) -> None:
    Client.objects.update(email="")
    maple.cleo.refresh_from_db()
    maple.book()
    leave(maple.sam)

    assert outcomes(run(maple, BulkAction.MOVE)) == [ItemOutcome.NO_EMAIL]


def test_a_client_is_not_asked_without_another_time(maple: Maple) -> None:
    maple.book()
    leave(maple.sam)

    assert outcomes(run(maple, BulkAction.MOVE)) == [ItemOutcome.NO_OTHER_TIMES]


def test_a_changed_appointment_is_left_out(maple: Maple, tess: StaffMember) -> None:
    booked = maple.book()
    leave(maple.sam)
    change = start_bulk_change(
        maple.organization, needing_attention(maple.organization), BulkAction.CANCEL, started_by=maple.sky
    )
    Appointment.objects.filter(pk=booked.pk).update(version=5)

    work_on_bulk_change(change.pk)

    booked.refresh_from_db()
    assert (outcomes(change), booked.status) == ([ItemOutcome.CHANGED], Status.CONFIRMED)


def test_an_appointment_that_is_fine_again_is_left_out(maple: Maple) -> None:
    maple.book()
    leave(maple.sam)
    change = start_bulk_change(
        maple.organization, needing_attention(maple.organization), BulkAction.CANCEL, started_by=maple.sky
    )
    StaffMember.objects.filter(pk=maple.sam.pk).update(is_active=True)

    work_on_bulk_change(change.pk)

    assert outcomes(change) == [ItemOutcome.SETTLED]


def test_an_appointment_waits_in_one_bulk_change(maple: Maple) -> None:
    maple.book()
    leave(maple.sam)
    found = needing_attention(maple.organization)
    first = start_bulk_change(maple.organization, found, BulkAction.CANCEL, started_by=maple.sky)

    second = start_bulk_change(maple.organization, found, BulkAction.REASSIGN, started_by=maple.sky)

    assert (first.items.count(), second.items.count()) == (1, 0)


def test_a_worker_ends_its_shift_and_another_continues(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    for hour in (9, 10, 11):
        maple.book(starts_at=monday(hour))
    leave(maple.sam)
    change = start_bulk_change(
        maple.organization, needing_attention(maple.organization), BulkAction.CANCEL, started_by=maple.sky
    )
    seconds = iter([0.0, 1.0, 2.0, 31.0])
    monkeypatch.setattr(bulk_worker, "monotonic", lambda: next(seconds))
    work_on_bulk_change(change.pk)
    assert (progress_of(change).done, progress_of(change).waiting) == (2, 1)

    monkeypatch.undo()
    work_on_bulk_change(change.pk)

    change.refresh_from_db()
    assert (progress_of(change).done, change.finished_at is not None) == (3, True)


def test_a_worker_that_was_killed_is_replaced_after_its_lease(maple: Maple) -> None:
    maple.book()
    leave(maple.sam)
    change = start_bulk_change(
        maple.organization, needing_attention(maple.organization), BulkAction.CANCEL, started_by=maple.sky
    )
    dead = "00000000-0000-4000-8000-000000000001"
    BulkChange.objects.filter(pk=change.pk).acquire_lease(dead, timedelta(seconds=90))  # type: ignore[arg-type]
    work_on_bulk_change(change.pk)
    assert (outcomes(change), resume_bulk_changes()) == (["waiting"], 0)

    BulkChange.objects.filter(pk=change.pk).renew_lease(dead, timedelta(seconds=-1))  # type: ignore[arg-type]
    assert resume_bulk_changes() == 1
    work_on_bulk_change(change.pk)

    assert outcomes(change) == ["done"]


def test_an_error_in_one_appointment_does_not_stop_the_next(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = maple.book(starts_at=monday(9)), maple.book(starts_at=monday(11))
    leave(maple.sam)

    def break_first(change: BulkChange, item: BulkChangeItem, colleagues: Any) -> None:
        if item.appointment_id == first.pk:
            raise RuntimeError
        change_item(change, item, colleagues)

    monkeypatch.setattr(bulk_worker, "change_item", break_first)

    change = run(maple, BulkAction.CANCEL)

    second.refresh_from_db()
    assert (outcomes(change), second.status) == ([ItemOutcome.FAILED, ItemOutcome.DONE], Status.CANCELLED)
    assert change.finished_at is not None
