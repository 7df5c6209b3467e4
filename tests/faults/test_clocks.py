"""Machines whose clocks differ."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from tests.faults import microsoft, workers
from tests.faults.agreement import calendar_lines, expect_agreement
from tests.faults.conftest import Office
from tests.faults.microsoft import CREATE
from tests.stack import Stack

OFF = dt.timedelta(minutes=5)
FAST, SLOW = str(OFF.seconds), str(-OFF.seconds)


@pytest.fixture
def wrong_clocks(stack: Stack) -> Iterator[None]:
    """Run the first worker with a fast clock. The second worker isn't running yet."""
    workers.kill_all(stack)
    stack.start("worker", CLOCK_OFF_SECONDS=FAST)
    yield
    workers.kill_all(stack)


@pytest.mark.usefixtures("wrong_clocks")
def test_a_worker_whose_clock_is_slow_takes_over_from_a_killed_one_whose_clock_was_fast(
    stack: Stack, maple: Office
) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="slow", regex=CREATE, seconds=2, count=1)
    maple.desk.book(maple.hosts[0])
    stack.wait_until(lambda: microsoft.created(stack) == made + 1)
    stack.kill("worker")
    stack.start("worker2", CLOCK_OFF_SECONDS=SLOW)
    maple.desk.move(maple.booked[0])
    maple.desk.cancel(maple.booked[1])

    expect_agreement(stack)

    assert microsoft.created(stack) == made + 1
    assert {_is_off(mail) for mail in stack.emails()} == {True}


def _is_off(mail: EmailMessage) -> bool:
    """Return whether the email was written with a wrong clock, by the time stamp of its calendar entry."""
    (line,) = [line for line in calendar_lines(mail) if line.startswith("DTSTAMP")]
    written = dt.datetime.strptime(line, "DTSTAMP:%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    return abs(dt.datetime.now(dt.UTC) - written) > OFF / 2
