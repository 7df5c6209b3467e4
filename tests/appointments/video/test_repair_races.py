"""Concurrent link repairs and other changes, in threads against PostgreSQL."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from appointments.changes.status import cancel_appointment
from appointments.changes.switch_service import switch_to_video, without_video
from appointments.models import Appointment, BookedThrough, Notification, Status
from appointments.video.missing_links import without_link
from appointments.video.repair import RepairResult, repair_links
from integrations.models import DesiredState, Meeting
from services.models import MeetingMethod
from staff.models import StaffMember
from tests.appointments.booking_rules.test_lost_race import at_once
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("friday", "maple_with_teams")]

CROWD = 4
HOURS = (9, 10, 11, 13, 14, 15)


def booked(maple: Maple, **fields: Any) -> list[Appointment]:
    return [make_appointment(maple.review, maple.sam, maple.cleo, monday(hour), **fields) for hour in HOURS]


def test_concurrent_link_creation_makes_one_link_each(maple: Maple, ada: StaffMember) -> None:
    booked(maple, method=MeetingMethod.VIDEO)
    found = list(without_link(maple.organization).select_related("organization", "staff"))

    answers: list[RepairResult] = at_once([partial(repair_links, found, actor=ada)] * CROWD)

    assert sum(answer.changed for answer in answers) == len(HOURS)
    assert sum(answer.skipped for answer in answers) == (CROWD - 1) * len(HOURS)
    assert Meeting.objects.count() == len(HOURS)
    assert Notification.objects.count() == 2 * len(HOURS)


def test_a_concurrently_cancelled_appointment_has_no_live_meeting(maple: Maple, ada: StaffMember) -> None:
    appointments = booked(maple, method=MeetingMethod.VIDEO)
    found = list(without_link(maple.organization).select_related("organization", "staff"))
    cancels = [
        partial(cancel_appointment, each, actor=maple.sky, through=BookedThrough.SCHEDULE) for each in appointments
    ]

    at_once([partial(repair_links, found, actor=ada), *cancels])

    assert set(Appointment.objects.values_list("status", flat=True)) == {Status.CANCELLED}
    assert not Meeting.objects.filter(desired_state=DesiredState.PRESENT).exists()


def test_concurrent_switches_change_each_appointment_once(maple: Maple, ada: StaffMember) -> None:
    booked(maple)
    found = list(without_video(maple.review).select_related("organization", "staff"))

    at_once([partial(switch_to_video, found, actor=ada)] * CROWD)

    assert set(Appointment.objects.values_list("method", "version")) == {(MeetingMethod.VIDEO, 1)}
    assert (Meeting.objects.count(), Notification.objects.count()) == (len(HOURS), 2 * len(HOURS))
