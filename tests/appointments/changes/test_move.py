"""Moving and cancelling."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appointments.booking_rules.errors import TimeTaken
from appointments.changes.move import move_appointment
from appointments.changes.status import cancel_appointment
from appointments.models import Appointment, BookedThrough, Status
from integrations.models import DesiredState, Meeting, UserMatch
from services.models import MeetingMethod
from staff.models import Role
from tests.appointments.conftest import Maple, monday
from tests.appointments.outcomes import booking_error, timeline
from tests.factories import (
    make_appointment,
    make_member,
    make_organization,
)

pytestmark = pytest.mark.usefixtures("friday")


# --- moving -----------------------------------------------------------------------------------------
def move(maple: Maple, appointment: Appointment, starts_at: datetime, **changes: Any) -> Appointment:
    arguments = {"starts_at": starts_at, "actor": maple.sky, "through": BookedThrough.SCHEDULE, **changes}
    return move_appointment(appointment, **arguments)


def move_online(appointment: Appointment, starts_at: datetime) -> Appointment:
    return move_appointment(appointment, starts_at=starts_at, actor=None, through=BookedThrough.CLIENT_VIEW)


def test_a_move_keeps_length_buffers_and_links(maple_with_teams: Maple) -> None:
    service = maple_with_teams.review
    service.buffer_after = 15
    service.save()
    before = maple_with_teams.book(method=MeetingMethod.VIDEO)
    service.duration, service.buffer_after = 60, 0
    service.save()

    after = move(maple_with_teams, before, monday(14))

    assert (after.starts_at, after.ends_at, after.busy_to) == (monday(14), monday(14, 30), monday(14, 45))
    assert (after.manage_token, after.join_token, after.meeting_id) == (
        before.manage_token,
        before.join_token,
        before.meeting_id,
    )


def test_a_move_before_the_link_is_created_requests_the_new_time(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)

    move(maple_with_teams, appointment, monday(14))

    meeting = Meeting.objects.get()
    assert (meeting.version, meeting.starts_at, meeting.ends_at) == (2, monday(14), monday(14, 30))


def test_a_move_is_recorded_in_the_timeline(maple: Maple) -> None:
    appointment = move(maple, maple.book(), monday(14))

    assert timeline(appointment)[1:] == ["Moved from Mon 30 Nov 2026, 10:00 UTC to Mon 30 Nov 2026, 14:00 UTC."]


def test_a_move_to_the_same_time_changes_nothing(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)

    move(maple_with_teams, appointment, monday(10))

    assert (len(timeline(appointment)), Meeting.objects.get().version) == (1, 1)
    assert appointment.notifications.count() == 2


def test_a_move_can_overlap_the_appointments_own_time(maple: Maple) -> None:
    assert move(maple, maple.book(), monday(10, 15)).starts_at == monday(10, 15)


def test_a_move_to_a_taken_time_is_refused(maple: Maple) -> None:
    maple.book(starts_at=monday(11))
    appointment = maple.book()

    with pytest.raises(TimeTaken) as taken:
        move(maple, appointment, monday(10, 45))

    appointment.refresh_from_db()
    assert appointment.starts_at == monday(10)
    assert taken.value.next_free == [monday(11, 30), monday(11, 45), monday(12)]


def test_staff_who_can_no_longer_host_can_still_move_appointments(maple_with_teams: Maple) -> None:
    appointment = maple_with_teams.book(method=MeetingMethod.VIDEO)
    UserMatch.objects.update(enabled=False)

    assert move(maple_with_teams, appointment, monday(14)).starts_at == monday(14)


def test_an_appointment_with_former_staff_can_be_cancelled_but_not_moved(maple: Maple) -> None:
    appointment = maple.book()
    maple.sam.is_active = False
    maple.sam.save()

    assert booking_error(lambda: move(maple, appointment, monday(14))) == (
        "staff",
        "Sam Okafor no longer takes appointments. Choose someone else.",
    )
    assert cancel(appointment).status == Status.CANCELLED


def test_clients_can_move_within_notice_and_working_hours(maple: Maple) -> None:
    maple.review.minimum_notice = 60 * 24 * 3
    maple.review.save()
    appointment = maple.book()

    assert booking_error(lambda: move_online(appointment, monday(11)))[1] == (
        "That is too soon to be booked. Choose a later time."
    )
    assert booking_error(lambda: move_online(appointment, monday(18) + timedelta(days=1)))[1].endswith(
        "is outside the working hours of Sam Okafor. Choose another time."
    )


def test_staff_of_another_organisation_cannot_move_it(maple: Maple) -> None:
    otto = make_member(make_organization("Cedar Bank"), "Otto Lind", Role.ADMIN)
    appointment = maple.book()

    booking_error(lambda: move(maple, appointment, monday(11), actor=otto))

    appointment.refresh_from_db()
    assert appointment.starts_at == monday(10)


# --- cancelling -------------------------------------------------------------------------------------
def cancel(appointment: Appointment, through: BookedThrough = BookedThrough.SCHEDULE) -> Appointment:
    return cancel_appointment(appointment, actor=None, through=through)


def test_a_cancellation_cancels_the_meeting(maple_with_teams: Maple) -> None:
    appointment = cancel(maple_with_teams.book(method=MeetingMethod.VIDEO))

    assert (appointment.status, Meeting.objects.get().desired_state) == (
        Status.CANCELLED,
        DesiredState.ABSENT,
    )
    assert timeline(appointment)[1:] == ["Cancelled."]


@pytest.mark.parametrize("change", [cancel, lambda appointment: move_online(appointment, monday(11))])
def test_a_cancelled_appointment_stays_cancelled(change: Callable[[Appointment], object], maple: Maple) -> None:
    appointment = maple.book()
    cancel(appointment)

    assert booking_error(lambda: change(appointment)) == (
        "",
        "This appointment was cancelled already. Book a new one.",
    )


@pytest.mark.parametrize("change", [cancel, lambda appointment: move_online(appointment, monday(11))])
def test_a_past_appointment_cannot_change(change: Callable[[Appointment], object], maple: Maple) -> None:
    appointment = make_appointment(maple.review, maple.sam, maple.cleo, datetime(2026, 11, 27, 11, 30, tzinfo=UTC))

    assert booking_error(lambda: change(appointment))[0] == ""
    appointment.refresh_from_db()
    assert appointment.status == Status.CONFIRMED


def test_only_staff_can_cancel_an_appointment_in_progress(maple: Maple) -> None:
    appointment = make_appointment(maple.review, maple.sam, maple.cleo, datetime(2026, 11, 27, 11, 45, tzinfo=UTC))

    assert booking_error(lambda: cancel(appointment, BookedThrough.CLIENT_VIEW)) == (
        "",
        "This appointment has begun. Please call us.",
    )
    assert cancel(appointment).status == Status.CANCELLED


@pytest.mark.parametrize("status", [Status.IN_PROGRESS, Status.SERVED, Status.NO_SHOW])
def test_only_upcoming_appointments_can_be_moved_or_cancelled(status: Status, maple: Maple) -> None:
    appointment = make_appointment(maple.review, maple.sam, maple.cleo, monday(10), status=status)

    assert booking_error(lambda: cancel(appointment)) == (
        "",
        f"An appointment that is “{status.label}” cannot become “Cancelled”.",
    )
    assert booking_error(lambda: move(maple, appointment, monday(11))) == (
        "",
        f"An appointment that is “{status.label}” cannot be moved.",
    )
