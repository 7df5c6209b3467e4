"""Status changes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from appointments.booking_rules.errors import BookingError
from appointments.changes.status import (
    ALLOWED,
    FORWARD,
    PREVIOUS_STATUS,
    cancel_appointment,
    change_status,
    next_statuses,
    undo_status,
)
from appointments.models import Appointment, BookedThrough, Notification, Status
from appointments.timeline import event_text
from tests.appointments.conftest import NOW, Maple, monday
from tests.factories import make_appointment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]

BEGUN = NOW - timedelta(minutes=10)
STEPS: dict[Status, Callable[..., Appointment]] = {status: partial(change_status, status=status) for status in FORWARD}
mark_arrived, start_appointment, complete_appointment, mark_no_show = STEPS.values()
ALL_STEPS = [(before, after) for before in Status for after in STEPS if before != after]


def appointment_now(maple: Maple, **fields: Any) -> Appointment:
    return make_appointment(maple.review, maple.sam, maple.cleo, BEGUN, **fields)


def by_sky(maple: Maple) -> dict[str, Any]:
    return {"actor": maple.sky, "through": BookedThrough.SCHEDULE}


def sentence_of(change: Callable[[], object]) -> str:
    with pytest.raises(BookingError) as refused:
        change()
    return refused.value.sentence


@pytest.mark.parametrize(("before", "after"), ALL_STEPS)
def test_only_listed_status_changes_are_allowed(before: Status, after: Status, maple: Maple) -> None:
    appointment = appointment_now(maple, status=before)

    with contextlib.suppress(BookingError):
        STEPS[after](appointment, **by_sky(maple))

    appointment.refresh_from_db()
    assert appointment.status == (after if after in ALLOWED[before] else before)


def test_the_timeline_shows_all_statuses_of_a_day(maple: Maple) -> None:
    appointment = appointment_now(maple)

    for step in (mark_arrived, start_appointment, complete_appointment):
        step(appointment, **by_sky(maple))

    rows = [(event_text(event), event.actor_id, event.through) for event in appointment.events.all()]
    assert rows == [
        (text, maple.sky.pk, BookedThrough.SCHEDULE) for text in ("The client arrived.", "Started.", "Completed.")
    ]
    appointment.refresh_from_db()
    assert (appointment.status, appointment.version) == (Status.SERVED, 3)


def test_status_changes_send_no_email(maple: Maple) -> None:
    mark_arrived(appointment_now(maple), **by_sky(maple))

    assert not Notification.objects.exists()


def test_a_second_click_changes_nothing_more(maple: Maple) -> None:
    appointment = appointment_now(maple)

    for _ in range(2):
        mark_arrived(appointment, version=0, **by_sky(maple))

    assert appointment.events.count() == 1


def test_an_outdated_page_changes_nothing(maple: Maple) -> None:
    appointment = appointment_now(maple)
    mark_no_show(appointment, **by_sky(maple))

    assert sentence_of(lambda: mark_arrived(appointment, version=0, **by_sky(maple))) == (
        "Sky Larsen changed this appointment meanwhile: The client did not come. Look at it again."
    )


def test_a_no_show_is_refused_before_the_start(maple: Maple) -> None:
    later = make_appointment(maple.review, maple.sam, maple.cleo, NOW + timedelta(minutes=5))

    assert sentence_of(lambda: mark_no_show(later, **by_sky(maple))) == (
        "This appointment has not begun yet. Mark a no-show after its start."
    )


@pytest.mark.parametrize("step", [mark_arrived, start_appointment])
def test_an_arrival_is_refused_before_the_day(step: Callable[..., Appointment], maple: Maple) -> None:
    appointment = make_appointment(maple.review, maple.sam, maple.cleo, monday(10))

    assert sentence_of(lambda: step(appointment, **by_sky(maple))) == ("This appointment is not today. Move it first.")


def test_a_client_can_arrive_early(maple: Maple) -> None:
    later = make_appointment(maple.review, maple.sam, maple.cleo, NOW + timedelta(hours=2))

    assert mark_arrived(later, **by_sky(maple)).status == Status.ARRIVED


# --- undo -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("status", "before"), PREVIOUS_STATUS.items())
def test_a_status_change_can_be_undone(status: str, before: Status, maple: Maple) -> None:
    appointment = appointment_now(maple, status=status)

    assert undo_status(appointment, **by_sky(maple)).status == before


@pytest.mark.parametrize("status", [Status.CONFIRMED, Status.CANCELLED])
def test_undo_is_refused_if_there_is_nothing_to_undo(status: Status, maple: Maple) -> None:
    appointment = appointment_now(maple, status=status)

    assert sentence_of(lambda: undo_status(appointment, **by_sky(maple))) == ("There is nothing to undo.")


def test_the_time_of_a_no_show_can_be_booked_again(maple: Maple) -> None:
    appointment = appointment_now(maple, status=Status.NO_SHOW)
    make_appointment(maple.review, maple.sam, maple.cleo, BEGUN)

    assert sentence_of(lambda: undo_status(appointment, **by_sky(maple))) == (
        "Sam Okafor now has another appointment at that time. Book a new one."
    )
    appointment.refresh_from_db()
    assert (appointment.status, appointment.events.count()) == (Status.NO_SHOW, 0)


# --- the buttons ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "buttons"),
    [
        (Status.CONFIRMED, [Status.ARRIVED, Status.IN_PROGRESS, Status.NO_SHOW]),
        (Status.ARRIVED, [Status.IN_PROGRESS, Status.NO_SHOW]),
        (Status.IN_PROGRESS, [Status.SERVED]),
        (Status.SERVED, []),
        (Status.NO_SHOW, [Status.ARRIVED]),
        (Status.CANCELLED, []),
    ],
)
def test_the_buttons_offer_the_possible_statuses(status: Status, buttons: list[Status], maple: Maple) -> None:
    assert next_statuses(appointment_now(maple, status=status)) == buttons


def test_an_appointment_days_away_has_no_buttons(maple: Maple) -> None:
    assert next_statuses(make_appointment(maple.review, maple.sam, maple.cleo, monday(10))) == []


# --- cancelling -------------------------------------------------------------------------------------
def test_a_reason_is_kept_in_one_line(maple: Maple) -> None:
    appointment = cancel_appointment(maple.book(), reason="Sam is\nill ", **by_sky(maple))

    appointment.refresh_from_db()
    assert (appointment.status, appointment.cancel_reason) == (Status.CANCELLED, "Sam is ill")
    assert next(event_text(event) for event in appointment.events.order_by("-pk")) == "Cancelled: Sam is ill"


def test_a_long_reason_is_cut(maple: Maple) -> None:
    appointment = cancel_appointment(maple.book(), reason="🌰" * 400, **by_sky(maple))

    appointment.refresh_from_db()
    assert appointment.cancel_reason == "🌰" * 300


def test_an_arrived_client_cannot_cancel_online(maple: Maple) -> None:
    appointment = make_appointment(maple.review, maple.sam, maple.cleo, NOW + timedelta(hours=2), status=Status.ARRIVED)

    assert (
        sentence_of(lambda: cancel_appointment(appointment, actor=None, through=BookedThrough.CLIENT_VIEW))
        == "This appointment has begun. Please call us."
    )


def test_a_cancel_from_an_outdated_page_is_refused(maple: Maple) -> None:
    appointment = maple.book()
    Appointment.objects.filter(pk=appointment.pk).update(version=1)

    assert sentence_of(lambda: cancel_appointment(appointment, version=0, **by_sky(maple))) == (
        "Sky Larsen changed this appointment meanwhile: Booked for Mon 30 Nov 2026, 10:00 UTC. Look at it again."
    )
