"""Shared fixtures of the integration tests: Maple's connection, Sam as a host, and Ada's browser."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from coconut import task_queue
from coconut.task_queue import Priority
from integrations.hosting.eligibility import Hosting
from integrations.models import Connection
from staff.models import Organization, StaffMember
from tests.factories import make_connection, make_match, make_member
from tests.integrations.fake_platform import FakePlatform


@pytest.fixture
def connection(maple: Organization) -> Connection:
    """Maple's connection to Microsoft Teams."""
    return make_connection(maple)


@pytest.fixture
def hosting(connection: Connection, fake_teams: FakePlatform) -> Hosting:
    """Sam, who can host on the connection."""
    match = make_match(connection, make_member(connection.organization))
    return Hosting(match.staff_id, connection, match)


@pytest.fixture
def browser(client: Browser, ada: StaffMember) -> Browser:
    """Ada's browser."""
    client.force_login(ada)
    return client


@pytest.fixture
def sent_tasks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Tasks that would be sent to the broker, as (task, *arguments)."""
    sent: list[tuple[object, ...]] = []

    def take(task: str, calls: list[tuple[object, ...]], priority: Priority | None = None) -> bool:
        sent.extend((task, *args) for args in calls)
        return True

    monkeypatch.setattr("coconut.task_queue.send_each", take)
    return sent


@pytest.fixture(autouse=True)
def forget_bursts() -> None:
    """Let each test enqueue a task that the previous test enqueued a moment ago."""
    task_queue._last_sent.clear()
