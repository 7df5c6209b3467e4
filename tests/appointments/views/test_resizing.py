"""Change of an appointment's length, if its service allows it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.changes.move import move_appointment
from appointments.models import Appointment, BookedThrough
from appointments.timeline import event_text
from integrations.models import Meeting
from services.models import MeetingMethod
from tests.appointments.conftest import Maple, monday

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]


def resize(maple: Maple, appointment: Appointment, ends_at: datetime) -> Appointment:
    return move_appointment(
        appointment,
        starts_at=appointment.starts_at,
        ends_at=ends_at,
        actor=maple.sky,
        through=BookedThrough.SCHEDULE,
    )


def sentence_of(change: Any) -> str:
    with pytest.raises(BookingError) as refused:
        change()
    return refused.value.sentence


def last_line(appointment: Appointment) -> str:
    line = appointment.events.order_by("-pk").first()
    assert line is not None
    return event_text(line)


def test_the_length_changes_if_the_service_allows_it(maple: Maple) -> None:
    maple.review.adjustable_length, maple.review.buffer_after = True, 10
    maple.review.save()

    appointment = resize(maple, maple.book(), monday(10, 45))

    appointment.refresh_from_db()
    assert (appointment.ends_at, appointment.busy_to) == (monday(10, 45), monday(10, 55))
    assert last_line(appointment) == "It takes 45 minutes now."


def test_a_longer_meeting_ends_later(maple_with_teams: Maple) -> None:
    maple_with_teams.review.adjustable_length = True
    maple_with_teams.review.save()

    resize(maple_with_teams, maple_with_teams.book(method=MeetingMethod.VIDEO), monday(11))

    assert Meeting.objects.get().ends_at == monday(11)


def test_a_fixed_length_stays(maple: Maple) -> None:
    appointment = maple.book()

    assert sentence_of(lambda: resize(maple, appointment, monday(10, 45))) == (
        "The length of “Mortgage review” is fixed. An admin can change that under Services."
    )


@pytest.mark.parametrize("length", [timedelta(0), timedelta(minutes=-30), timedelta(hours=24, minutes=1)])
def test_an_invalid_end_is_refused(length: timedelta, maple: Maple) -> None:
    maple.review.adjustable_length = True
    maple.review.save()
    appointment = maple.book()

    assert sentence_of(lambda: resize(maple, appointment, monday(10) + length)) == (
        "An appointment ends after it starts, and within a day. Choose another end."
    )


def test_a_longer_appointment_cannot_overlap_the_next(maple: Maple) -> None:
    maple.review.adjustable_length = True
    maple.review.save()
    maple.book(starts_at=monday(10, 30))
    appointment = maple.book()

    with pytest.raises(TimeTaken):
        resize(maple, appointment, monday(10, 45))
