"""Beat, the broker and the database fail. Booking works while the database does, and every link is created."""

from __future__ import annotations

import signal
import socket
import urllib.request
from contextlib import ExitStack

from local_servers.processes import stop
from tests.faults import microsoft, workers
from tests.faults.agreement import expect_agreement
from tests.faults.conftest import Installation, Office
from tests.faults.microsoft import CREATE
from tests.stack import Stack

LINK = "SELECT join_url FROM integrations_meeting WHERE id = %s"
ATTEMPTED = "SELECT count(*) FROM integrations_meeting WHERE error_kind <> '' AND lease_token IS NULL"


def test_links_are_created_without_beat_and_retries_follow_when_it_is_back(stack: Stack, maple: Office) -> None:
    stack.kill("beat")
    meeting = maple.desk.meeting(maple.desk.book(maple.hosts[0]))
    stack.wait_until(lambda: stack.sql(LINK, meeting) != [("",)])

    stack.control("fault", kind="unavailable", regex=CREATE, count=1)
    maple.desk.book(maple.hosts[0])
    stack.wait_until(lambda: stack.sql(ATTEMPTED) == [(1,)])
    stack.start("beat")

    expect_agreement(stack)


def test_a_broker_that_restarts_empty_loses_nothing(stack: Stack, maple: Office) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="latency", regex=CREATE, ms=500)
    for _ in range(8):
        maple.desk.book(maple.hosts[0])
    maple.desk.cancel(maple.booked[1])

    stack.broker.stop()
    stack.broker.start()
    # If the broker goes when a task ends, kombu ends the worker. Its supervisor starts another one.
    stack.start(*stack.workers, "beat")

    expect_agreement(stack)
    assert microsoft.created(stack) == made + 8


def test_booking_moving_and_cancelling_go_on_without_a_broker(stack: Stack, maple: Office) -> None:
    stack.broker.stop()
    maple.desk.book(maple.hosts[0])
    maple.desk.move(maple.booked[0])
    maple.desk.cancel(maple.booked[1])

    stack.broker.start()
    stack.start(*stack.workers, "beat")

    expect_agreement(stack)


def test_a_database_restart_while_links_are_created_loses_and_duplicates_nothing(
    stack: Stack, maple: Office, installation: Installation
) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="latency", regex=CREATE, ms=1000, count=3)
    for _ in range(3):
        maple.desk.book(maple.hosts[0])
    stack.wait_until(lambda: workers.is_claimed(stack))

    # All clients are disconnected in the middle of their work, as in a package upgrade.
    assert installation.postgres.process is not None
    stop(installation.postgres.process, signal.SIGINT, timeout=20)
    installation.postgres.start()

    maple.desk.move(maple.booked[0])
    expect_agreement(stack)
    assert microsoft.created(stack) == made + 3


def test_slow_visitors_of_the_public_page_stop_neither_pages_nor_probes(stack: Stack) -> None:
    begun = f"POST /book/maple/ HTTP/1.1\r\nHost: localhost\r\nOrigin: {stack.url}\r\n"
    begun += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\na"
    port = stack.addresses.web_port
    with ExitStack() as visitors:
        for _ in range(100):
            visitor = visitors.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            visitor.sendall(begun.encode())

        for page in ("/healthz", "/sign-in/", "/book/maple/"):
            assert urllib.request.urlopen(f"{stack.url}{page}", timeout=30).status == 200
