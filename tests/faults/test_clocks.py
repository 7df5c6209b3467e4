"""Machines that do not agree what time it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from tests.faults import workers
from tests.faults.agreement import calendar_lines, expect_agreement
from tests.faults.conftest import Office
from tests.faults.microsoft import ANY
from tests.stack import Stack

OFF = dt.timedelta(minutes=5)


@pytest.fixture
def wrong_clocks(stack: Stack) -> Iterator[None]:
    """One worker's clock is fast, the other one's slow."""
    workers.kill_all(stack)
    for name, sign in zip(stack.workers, (1, -1), strict=True):
        stack.start(name, CLOCK_OFF_SECONDS=str(sign * int(OFF.total_seconds())))
    yield
    workers.kill_all(stack)


@pytest.mark.usefixtures("wrong_clocks")
def test_workers_whose_clocks_are_five_minutes_off_in_both_directions_agree_all_the_same(
    stack: Stack, maple: Office, cedar: Office
) -> None:
    stack.control("fault", kind="unavailable", regex=ANY, count=2)
    for office in (maple, cedar):
        office.desk.book(office.hosts[0])
        office.desk.move(office.booked[0])
        office.desk.cancel(office.booked[1])

    expect_agreement(stack)
    assert {_is_off(mail) for mail in stack.mails()} == {True}


def _is_off(mail: EmailMessage) -> bool:
    """Whether whoever wrote the mail had the wrong time: its calendar entry has their clock's."""
    (line,) = [line for line in calendar_lines(mail) if line.startswith("DTSTAMP")]
    written = dt.datetime.strptime(line, "DTSTAMP:%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    return abs(dt.datetime.now(dt.UTC) - written) > OFF / 2
