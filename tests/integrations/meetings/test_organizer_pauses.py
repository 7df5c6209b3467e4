"""Limits of one organizer: the others go on, until a limit turns out to be that of the connection."""

from __future__ import annotations

import pytest
from django.utils import timezone

from integrations.hosting.eligibility import Hosting
from integrations.models import Connection, Meeting
from integrations.platforms.values import ErrorScope
from tests.factories import make_connection, make_match, make_member
from tests.integrations.fake_platform import FakePlatform, throttled
from tests.integrations.meeting_steps import ask, later, sync

pytestmark = pytest.mark.django_db(transaction=True)


def ask_as(hosting: Hosting, organizer_id: str) -> Meeting:
    """Request a meeting that is organized by this remote user."""
    meeting = ask(hosting)
    Meeting.objects.filter(pk=meeting.pk).update(organizer_id=organizer_id)
    return meeting


def pause_of_connection() -> float:
    """Return the seconds for which the whole connection is paused."""
    paused_until = Connection.objects.get().paused_until
    return 0.0 if paused_until is None else (paused_until - timezone.now()).total_seconds()


def test_only_the_refused_organizer_waits(hosting: Hosting, fake_teams: FakePlatform) -> None:
    sams, sams_second, annas = (ask_as(hosting, organizer) for organizer in ("sam", "sam", "anna"))
    fake_teams.fail("create_meeting", throttled(3600, ErrorScope.UNCLEAR))
    sync(sams)

    sync(sams_second)
    sync(annas)
    calls = fake_teams.calls["create_meeting"]
    later(seconds=3601)
    sync(sams)

    assert (calls, annas.state, sams_second.state) == (2, "ready", "pending")
    assert sams.state == "ready"


def test_if_a_second_organizer_is_refused_the_connection_waits(hosting: Hosting, fake_teams: FakePlatform) -> None:
    sams, annas, bens = (ask_as(hosting, organizer) for organizer in ("sam", "anna", "ben"))
    fake_teams.fail("create_meeting", throttled(600, ErrorScope.UNCLEAR), times=2)
    sync(sams)
    paused_after_the_first = pause_of_connection()

    sync(annas)
    sync(bens)

    assert paused_after_the_first == 0
    assert 598 <= pause_of_connection() <= 600
    assert (fake_teams.calls["create_meeting"], bens.state) == (2, "pending")


def test_a_second_refusal_of_the_same_organizer_stops_no_other(hosting: Hosting, fake_teams: FakePlatform) -> None:
    meeting = ask_as(hosting, "sam")
    fake_teams.fail("create_meeting", throttled(30, ErrorScope.UNCLEAR), times=2)
    sync(meeting)
    later(seconds=31)

    sync(meeting)

    assert (fake_teams.calls["create_meeting"], pause_of_connection()) == (2, 0)


def test_a_refusal_after_the_first_pause_concerns_one_organizer_again(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    sams, annas = ask_as(hosting, "sam"), ask_as(hosting, "anna")
    fake_teams.fail("create_meeting", throttled(30, ErrorScope.UNCLEAR), times=2)
    sync(sams)
    later(seconds=31)

    sync(annas)

    assert pause_of_connection() == 0


def test_known_limits_of_several_organizers_never_pause_the_connection(
    hosting: Hosting, fake_teams: FakePlatform
) -> None:
    fake_teams.fail("create_meeting", throttled(600, ErrorScope.HOST), times=2)

    sync(ask_as(hosting, "sam"))
    sync(ask_as(hosting, "anna"))

    assert pause_of_connection() == 0


def test_another_connections_pause_does_not_count(hosting: Hosting, fake_teams: FakePlatform) -> None:
    fake_teams.fail("create_meeting", throttled(600, ErrorScope.UNCLEAR), times=2)
    sync(ask_as(hosting, "sam"))
    assert hosting.connection is not None
    second = make_connection(hosting.connection.organization, "oid-of-another-account", is_default=False)
    match = make_match(second, make_member(second.organization, "Anna"))

    sync(ask_as(Hosting(match.staff_id, second, match), "anna"))

    assert {connection.paused_until for connection in Connection.objects.all()} == {None}
