"""Installation with two workers, its own database server, and two connected organisations.

Maple's service account organizes its meetings; at Cedar, staff members do. Each has two appointments with links. People
act through the web server, without a browser.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from coconut.local_urls import database_url
from local_servers.postgres import Postgres
from local_servers.servers import throwaway_folder
from tests.faults.agreement import expect_agreement
from tests.faults.front_desk import Desk
from tests.faults.microsoft import administrator, sign_in
from tests.migrated_cluster import MIGRATED, migrated_cluster
from tests.stack import Snapshot, Stack


@dataclass(frozen=True)
class Office:
    """Front desk, two hosts, and two appointments of the first host with links."""

    desk: Desk
    hosts: tuple[str, str]
    booked: tuple[int, int]


@dataclass(frozen=True)
class Installation:
    """The stack, its database server, and the state in which each test starts."""

    stack: Stack
    postgres: Postgres
    offices: dict[str, Office]
    snapshot: Snapshot


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """Start the installation once. Tests use `stack`, which resets it."""
    with throwaway_folder() as folder:
        with migrated_cluster() as cluster:
            postgres = Postgres(folder / "postgres", folder / "sockets", durable=False, template=cluster)
            postgres.start()
        stack = Stack(folder, database_url(folder / "sockets"), workers=2, template=MIGRATED)
        try:
            stack.open()
            offices = _connect(stack)
            yield Installation(stack, postgres, offices, stack.keep())
        finally:
            stack.close()
            postgres.stop()


def _connect(stack: Stack) -> dict[str, Office]:
    stack.control("policy")
    stack.control("consent")
    stack.python(
        f"from tests.faults.connecting import begin\nbegin(maple={sign_in(stack)!r}, cedar={administrator(stack)!r})"
    )
    hosts = {
        "maple": ("sam@maple.example", "anna@maple.example"),
        "cedar": ("olga@cedar.example", "oscar@cedar.example"),
    }
    able = "SELECT count(*) FROM integrations_usermatch m JOIN staff_staffmember s ON s.id = m.staff_id"
    able += " WHERE m.status = 'matched' AND s.email = ANY(%s)"
    emails = [email for pair in hosts.values() for email in pair]
    stack.wait_until(lambda: stack.sql(able, emails) == [(len(emails),)])
    stack.sql("UPDATE integrations_usermatch SET enabled = true")
    desks = {
        "maple": Desk(stack, "ada@maple.example", "Mortgage review"),
        "cedar": Desk(stack, "otto@cedar.example", "Mortgage appointment"),
    }
    offices = {
        slug: Office(desk, hosts[slug], (desk.book(hosts[slug][0]), desk.book(hosts[slug][0])))
        for slug, desk in desks.items()
    }
    expect_agreement(stack)
    return offices


@pytest.fixture
def stack(installation: Installation) -> Stack:
    """Return the running stack with both organisations connected."""
    installation.stack.reset(installation.snapshot)
    return installation.stack


@pytest.fixture
def maple(stack: Stack, installation: Installation) -> Office:
    """Organisation whose service account organizes all meetings, with the staff member as co-organizer."""
    return installation.offices["maple"]


@pytest.fixture
def cedar(stack: Stack, installation: Installation) -> Office:
    """Organisation whose staff organize their own meetings: another host needs another meeting."""
    return installation.offices["cedar"]
