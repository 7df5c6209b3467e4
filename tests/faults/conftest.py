"""An installation with two workers and a database server of its own, in which two organisations are connected.

Maple's meetings are held by its service account, those of Cedar by the staff members themselves. Each has two
appointments whose links are made. There is no browser: people act through the web server.
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
    """A desk, two people who can host there, and two appointments of the first whose links are made."""

    desk: Desk
    hosts: tuple[str, str]
    booked: tuple[int, int]


@dataclass(frozen=True)
class Installation:
    """The stack, its database server, and where each test begins."""

    stack: Stack
    postgres: Postgres
    offices: dict[str, Office]
    snapshot: Snapshot


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """Started once; use `stack`, which brings it to its start."""
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
        "from tests.faults.connecting import begin\n"
        f"begin(maple={sign_in(stack)!r}, cedar={administrator(stack)!r})"
    )
    hosts = {
        "maple": ("sam@maple.example", "anna@maple.example"),
        "cedar": ("olga@cedar.example", "oscar@cedar.example"),
    }
    able = "SELECT count(*) FROM integrations_usermatch m JOIN staff_staffmember s ON s.id = m.staff_id"
    able += " WHERE m.status = 'matched' AND s.email = ANY(%s)"
    everybody = [email for pair in hosts.values() for email in pair]
    stack.wait_until(lambda: stack.sql(able, everybody) == [(len(everybody),)], seconds=30)
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
    """Both organisations are connected, and everything runs."""
    installation.stack.reset(installation.snapshot)
    return installation.stack


@pytest.fixture
def maple(stack: Stack, installation: Installation) -> Office:
    """One account holds every meeting: the staff member is a co-organizer."""
    return installation.offices["maple"]


@pytest.fixture
def cedar(stack: Stack, installation: Installation) -> Office:
    """Staff members hold their own meetings: another one means another meeting."""
    return installation.offices["cedar"]
