"""Every failure kind: its scope, what users see, its effect on other meetings, and when the meeting is retried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import transaction

from appointments.booking.book import book_appointment
from appointments.changes.move import move_appointment
from appointments.models import Appointment, BookedThrough
from appointments.video.link_state import LinkState, link_of
from integrations.connections.lifecycle import mark_reauthorized, require_reauthorization
from integrations.meetings import requests
from integrations.meetings.failed import failed_links
from integrations.meetings.sync import sync_meeting
from integrations.models import Connection, Meeting
from integrations.platforms.failures import RULES, ErrorKind, Owner
from integrations.platforms.values import PlatformError
from services.models import MeetingMethod
from staff.models import Role
from tests.factories import (
    make_client,
    make_connection,
    make_match,
    make_member,
    make_organization,
    make_service,
)
from tests.integrations.fake_platform import FakePlatform
from tests.integrations.meeting_steps import HALF_AN_HOUR, STARTS, later
from tests.messages import message

pytestmark = pytest.mark.django_db(transaction=True)


def automatically() -> None:
    """Let time pass without any user action."""
    later(seconds=31)


def an_admin_reauthorizes() -> None:
    with transaction.atomic():
        mark_reauthorized(Connection.objects.get(), None)


def a_user_tries_again() -> None:
    requests.try_again(Meeting.objects.all())


@dataclass(frozen=True)
class Expected:
    owner: Owner
    #: State of an appointment's link before it exists: spinner, hourglass or red.
    shown: LinkState
    #: Whether all calls on the connection pause, and why.
    others_wait: str
    goes_on: Callable[[], None]

    @property
    def is_failed(self) -> bool:
        return self.shown == LinkState.FAILED


TABLE = {
    ErrorKind.THROTTLED: Expected(Owner.NOBODY, LinkState.PENDING, "paused", automatically),
    ErrorKind.OUTAGE: Expected(Owner.NOBODY, LinkState.PENDING, "counted", automatically),
    ErrorKind.UNUSABLE: Expected(Owner.OPERATOR, LinkState.PENDING, "", automatically),
    ErrorKind.CONNECTION: Expected(Owner.ADMIN, LinkState.WAITING, "refused", an_admin_reauthorizes),
    ErrorKind.OPERATOR: Expected(Owner.OPERATOR, LinkState.PENDING, "", automatically),
    ErrorKind.PERSON: Expected(Owner.ADMIN, LinkState.FAILED, "", a_user_tries_again),
    ErrorKind.GONE: Expected(Owner.NOBODY, LinkState.PENDING, "", automatically),
    ErrorKind.ENDED: Expected(Owner.ADMIN, LinkState.FAILED, "", a_user_tries_again),
    ErrorKind.BUG: Expected(Owner.OPERATOR, LinkState.FAILED, "", a_user_tries_again),
}
EVERY_KIND = pytest.mark.parametrize("kind", list(ErrorKind))


@pytest.fixture
def appointment(fake_teams: FakePlatform) -> Appointment:
    maple = make_organization()
    sam = make_member(maple)
    make_match(make_connection(maple), sam)
    return book_appointment(
        organization=maple,
        service=make_service(maple, provided_by=(sam,)),
        staff=sam,
        client=make_client(maple),
        starts_at=STARTS,
        method=MeetingMethod.VIDEO,
        actor=make_member(maple, "Sky Larsen", Role.SCHEDULER),
        through=BookedThrough.SCHEDULE,
        outside_hours=True,
    )


def work(appointment: Appointment) -> Appointment:
    """Run the worker; return the appointment's state afterwards."""
    assert appointment.meeting_id is not None
    sync_meeting(appointment.meeting_id)
    return Appointment.objects.select_related("meeting__connection", "staff").get(pk=appointment.pk)


def fail(fake: FakePlatform, method: str, kind: ErrorKind) -> None:
    error = PlatformError(kind, message("Do this about it."), request_id="r-1", retry_after=_told(kind))

    def refuse() -> None:
        if kind == ErrorKind.CONNECTION:
            require_reauthorization(Connection.objects.all(), error.message)
        raise error

    fake.during(method, refuse)


def _told(kind: ErrorKind) -> float | None:
    return 30.0 if kind == ErrorKind.THROTTLED else None


def others_wait() -> str:
    connection = Connection.objects.get()
    if not connection.is_healthy:
        return "refused"
    if connection.paused_until is not None:
        return "paused"
    return "counted" if connection.consecutive_failures else ""


def test_the_table_covers_every_failure_kind() -> None:
    assert list(RULES) == list(TABLE) == list(ErrorKind)


@EVERY_KIND
def test_a_link_that_cannot_be_created(appointment: Appointment, fake_teams: FakePlatform, kind: ErrorKind) -> None:
    expected = TABLE[kind]
    fail(fake_teams, "create_meeting", kind)

    after = work(appointment)
    meeting, link = after.meeting, link_of(after)

    assert meeting is not None
    assert (kind.owner, kind.is_waiting_useful) == (expected.owner, not expected.is_failed)
    assert link.state == expected.shown
    assert (meeting.error_kind, str(meeting.error), meeting.error_request_id) == (
        kind,
        "Do this about it.",
        "r-1",
    )
    assert (meeting.due_at is None, list(failed_links(meeting.connection))) == (
        expected.is_failed,
        [meeting] * expected.is_failed,
    )
    assert others_wait() == expected.others_wait

    expected.goes_on()
    gone_on = work(appointment)

    assert link_of(gone_on).state == LinkState.READY
    assert (others_wait(), list(Meeting.objects.failed())) == ("", [])


@EVERY_KIND
def test_a_move_that_cannot_be_synced_keeps_the_link_and_shows_the_reason(
    appointment: Appointment, fake_teams: FakePlatform, kind: ErrorKind
) -> None:
    expected = TABLE[kind]
    first = link_of(work(appointment))
    move_appointment(
        appointment,
        starts_at=STARTS + HALF_AN_HOUR,
        actor=None,
        through=BookedThrough.SCHEDULE,
        outside_hours=True,
    )
    # A meeting that is missing on the platform is recreated at once, and only that may fail.
    for method in ("update_meeting", "create_meeting")[: 2 if kind == ErrorKind.GONE else 1]:
        fail(fake_teams, method, kind)

    after = work(appointment)
    expected.goes_on()
    gone_on = work(appointment)

    assert (link_of(after).state, link_of(after).url) == (LinkState.READY, first.url)
    assert link_of(after).sentence == "Do this about it."
    assert (link_of(gone_on).url, link_of(gone_on).sentence) == (first.url, "")
    (remote,) = fake_teams.meetings.values()
    assert remote.starts_at == STARTS + HALF_AN_HOUR
