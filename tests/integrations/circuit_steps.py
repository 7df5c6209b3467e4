"""Steps for tests of the circuit breaker."""

from __future__ import annotations

from django.utils import timezone

from integrations.hosting.eligibility import Hosting
from integrations.models import Connection, Meeting
from tests.integrations.fake_platform import FakePlatform, outage
from tests.integrations.meeting_steps import ask, sync


def calls(fake: FakePlatform) -> int:
    """Return the number of calls to the fake platform."""
    return sum(fake.calls.values())


def connection_of(hosting: Hosting) -> Connection:
    """Return the connection, read again."""
    assert hosting.connection is not None
    hosting.connection.refresh_from_db()
    return hosting.connection


def seconds_until_the_probe(hosting: Hosting) -> float:
    """Return the seconds until the next probe."""
    probe_at = connection_of(hosting).probe_at
    assert probe_at is not None
    return (probe_at - timezone.now()).total_seconds()


def open_circuit(hosting: Hosting, fake: FakePlatform) -> list[Meeting]:
    """Let three meetings in a row get no answer. Returns them."""
    failed = [ask(hosting) for _ in range(3)]
    fake.fail("create_meeting", outage(), times=3)
    for meeting in failed:
        sync(meeting)
    fake.calls.clear()
    return failed
