"""Request and sync meetings as booking and workers do, and let time pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F

from integrations.hosting.eligibility import Hosting
from integrations.meetings import requests
from integrations.meetings.sync import sync_meeting
from integrations.models import Connection, HostPause, Meeting
from staff.models import Organization
from tests.factories import make_connection, make_match, make_member, make_organization

STARTS = datetime(2099, 3, 2, 15, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)


def make_hosting(organization: Organization | None = None) -> Hosting:
    """Return the hosting of Sam, who is matched and has Video Calls on."""
    organization = organization or make_organization()
    connection = make_connection(organization)
    match = make_match(connection, make_member(organization))
    return Hosting(match.staff_id, connection, match)


def ask(hosting: Hosting, **values: Any) -> Meeting:
    """Request a meeting with Sam of half an hour in the far future."""
    assert hosting.match is not None
    values = {
        "subject": "Mortgage review",
        "starts_at": STARTS,
        "ends_at": STARTS + HALF_AN_HOUR,
        **values,
    }
    return requests.request_meeting(host=hosting.match.staff, hosting=hosting, **values)


def move(meeting: Meeting, by: timedelta = HALF_AN_HOUR) -> None:
    requests.request_move(meeting.pk, starts_at=meeting.starts_at + by, ends_at=meeting.ends_at + by)


def sync(meeting: Meeting) -> Meeting:
    """Sync the meeting as a worker does, and return it refreshed."""
    sync_meeting(meeting.pk)
    meeting.refresh_from_db()
    return meeting


def later(seconds: float) -> None:
    """Let time pass for leases and pauses by moving the rows into the past: the database's clock can't be set."""
    passed = timedelta(seconds=seconds)
    columns = ["due_at", "enqueued_at", "lease_until", "recheck_at"]
    Meeting.objects.update(**{column: F(column) - passed for column in columns})
    columns = ["paused_until", "probe_at", "last_success_at"]
    Connection.objects.update(**{column: F(column) - passed for column in columns})
    HostPause.objects.update(paused_until=F("paused_until") - passed)
