"""Meetings of a staff member whose Microsoft account was deleted, under an access policy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.hosting.eligibility import Hosting
from integrations.meetings import requests
from integrations.meetings.failed import failed_links
from integrations.models import Connection, Meeting
from integrations.teams.models import Method
from tests.factories import make_connection, make_match, make_member
from tests.integrations.meeting_steps import ask, move, sync
from tests.simulator.client import Simulator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["not_found", "forbidden"])
def meeting(maple: Any, settings: Any, simulator: Simulator, request: pytest.FixtureRequest) -> Meeting:
    """A meeting that Sam organizes. For a deleted organizer, Graph answers 404 or 403."""
    simulator.control("policy")
    simulator.control("consent")
    simulator.control("behaviour", deleted_organizer=request.param)
    connection = make_connection(maple)
    teams = connection.teams
    teams.method, teams.granted = Method.ACCESS_POLICY, ["OnlineMeetings.ReadWrite.All", "User.Read.All"]
    teams.tokens = {"access_token": "", "expires_at": datetime(2099, 1, 1, tzinfo=UTC).timestamp()}
    teams.save()
    sam = simulator.person("sam@maple.example")
    match = make_match(connection, make_member(maple), remote_id=sam["id"], host_permission="granted")
    return sync(ask(Hosting(match.staff_id, connection, match)))


def cancel(meeting: Meeting) -> None:
    requests.request_cancel(meeting.pk)
    sync(meeting)


def test_a_cancel_leaves_nothing_to_do(meeting: Meeting, simulator: Simulator) -> None:
    simulator.control("person", user="sam@maple.example", delete=True)

    cancel(meeting)

    assert (meeting.state, meeting.error_kind) == ("cancelled", "")


def test_a_cancel_after_a_failed_move_leaves_nothing_to_do(meeting: Meeting, simulator: Simulator) -> None:
    simulator.control("person", user="sam@maple.example", delete=True)
    move(meeting)
    sync(meeting)
    moved = meeting.has_failed

    cancel(meeting)

    assert (moved, meeting.state, meeting.is_orphaned) == (True, "cancelled", False)
    assert list(failed_links(Connection.objects.get())) == []


def test_a_cancel_is_refused_while_the_organizer_exists(meeting: Meeting, simulator: Simulator) -> None:
    simulator.control("policy", clear=True)

    cancel(meeting)

    assert (meeting.state, list(failed_links(Connection.objects.get()))) == ("failed", [meeting])
